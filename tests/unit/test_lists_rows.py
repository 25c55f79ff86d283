"""What stands in lists: headings, groups, titles, totals, signatures, and how each cell is read."""

from __future__ import annotations

import unicodedata
from datetime import date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.core.errors import BadInput
from reports.days import Unreadable, read_day
from reports.lists import read_people
from reports.profiles import load_profile
from reports.readers import Doubtful, Fact, read_level
from reports.sheets import read_sheets
from reports.units import match_unit
from reports.words import like, tidy, title_case, words
from tests.unit.lists_support import BRANCHES, CANDIDATES, HEADING, TODAY, book, people, person, read, sheets

DATE_WORDS = CANDIDATES.date_words
Rows = list[list[object]]


def facts(**cells: object) -> dict[str, Fact]:
    found = read(person(**cells))
    assert found.rejected == ()
    return found.rows[0].facts


def rejected(**cells: object) -> list[tuple[str, str]]:
    return [(r.cell, r.text()) for r in read(person(**cells)).rejected]


# ---- days ----


@pytest.mark.parametrize(
    "written",
    [
        "05/4/1990", "5/4/1990", "5.4.1990", "05-04-1990", " 05 / 4 / 1990 ", "5.04.1990.", "1990-04-05", "1990/4/5",
        "ngày 5 tháng 4 năm 1990", "sinh ngày 05/4/1990", "1990-04-05 00:00:00", "1990-04-05T00:00:00",
        date(1990, 4, 5), datetime(1990, 4, 5), 32968, 32968.0, 32968.5,
    ],
)  # fmt: skip
def test_a_day_reads_from_text_cell_or_serial_number(written):
    assert read_day(written, today=TODAY, date_words=DATE_WORDS).whole == date(1990, 4, 5)


@pytest.mark.parametrize("written", [1990, 1990.0, "1990", "1990.0", "sinh năm 1990", "SN 1990", "Năm 1990", "sn1990"])
def test_a_year_alone_stays_a_year(written):
    day = read_day(written, today=TODAY, date_words=DATE_WORDS)
    assert (day.year, day.month, day.whole) == (1990, None, None)


@pytest.mark.parametrize("written", ["5/4/90", "5.4.90", "95", 95, 95.0, "sinh năm 95", "05-04-05"])
def test_a_year_of_two_digits_is_refused(written):
    with pytest.raises(Unreadable, match="two digits"):
        read_day(written, today=TODAY, date_words=DATE_WORDS)


@pytest.mark.parametrize("written", ["31/02/1999", "29/2/2001", "1999-13-40", "4/25/1990", "0/0/1990", "00/5/1990"])
def test_a_day_that_does_not_exist_is_refused(written):
    with pytest.raises(Unreadable, match="not a day of the calendar"):
        read_day(written, today=TODAY, date_words=DATE_WORDS)


@pytest.mark.parametrize("written", ["25/11/2026", "2027", 2027, date(2026, 11, 25), "12/2026", 46352, "01/01/9999"])
def test_a_day_in_the_future_is_refused(written):
    with pytest.raises(Unreadable, match="in the future"):
        read_day(written, today=TODAY, date_words=DATE_WORDS)


def test_today_this_month_and_this_year_are_not_the_future():
    for written in (TODAY, "24/11/2026", "11/2026", 2026, 46350):
        assert read_day(written, today=TODAY).year == 2026


@pytest.mark.parametrize(
    "written", ["x", "không rõ", "5/4", "1/2/3/1990", "5//4/1990", True, 3.5, 5000, -3, "khoảng 1990"]
)
def test_what_is_no_day_is_refused(written):
    with pytest.raises(Unreadable):
        read_day(written, today=TODAY, date_words=DATE_WORDS)


@pytest.mark.parametrize("written", ["5/4/1890", 1899, date(1899, 12, 31)])
def test_a_day_before_1900_is_refused(written):
    with pytest.raises(Unreadable, match="before 1900"):
        read_day(written, today=TODAY)


@given(st.dates(date(1930, 1, 1), TODAY), st.sampled_from("/.-"), st.booleans())
def test_every_day_written_reads_back(day, separator, padded):
    form = "{:02}{}{:02}{}{}" if padded else "{}{}{}{}{}"
    written = form.format(day.day, separator, day.month, separator, day.year)
    assert read_day(written, today=TODAY).whole == day


@given(st.one_of(st.text(max_size=30), st.floats(), st.integers(), st.booleans(), st.datetimes()))
def test_no_cell_brings_anything_but_a_day_up_to_today_or_a_refusal(cell):
    try:
        day = read_day(cell, today=TODAY, date_words=DATE_WORDS)
    except Unreadable:
        return
    assert 1900 <= day.year <= TODAY.year


# ---- words ----


@pytest.mark.parametrize(
    ("typed", "title"),
    [
        ("ĐỖ KIM THẢO", "Đỗ Kim Thảo"),
        ("đỗ kim thảo", "Đỗ Kim Thảo"),
        ("H'HEN NIÊ", "H'Hen Niê"),
        ("H' THANH QUÂN", "H' Thanh Quân"),
        ("Y-BHAM ÊBAN", "Y-Bham Êban"),
        ("Nguyễn Văn A", "Nguyễn Văn A"),
        ("Trần McDonald", "Trần McDonald"),
    ],
)
def test_names_in_capitals_become_title_case_the_vietnamese_way(typed, title):
    assert title_case(typed) == title


def test_decomposed_letters_and_stray_spaces_are_stored_composed():
    typed = "  " + unicodedata.normalize("NFD", "ĐỖ\u00a0THỊ  QUỲNH") + "\u200b "
    assert facts(name=typed)["full_name"] == "Đỗ Thị Quỳnh"


@pytest.mark.parametrize("typed", ["Hoà", "Hòa", unicodedata.normalize("NFD", "hoà"), "HÒA", "hoa"])
def test_the_place_of_a_tone_case_and_missing_accents_do_not_count(typed):
    assert like(words(typed), words("hoà"))


@pytest.mark.parametrize(("typed", "known"), [("Năm", "Nam"), ("Nam", "Năm"), ("Hoa", "Hồng"), ("", "")])
def test_a_single_word_with_other_accents_is_another_word(typed, known):
    assert not like(words(typed), words(known)) or words(typed).unmarked


@given(st.text(max_size=40))
def test_tidying_twice_is_tidying_once(text):
    once = tidy(text)
    assert tidy(once) == once
    assert words(once) == words(text)


# ---- units ----


def test_thon_6_is_the_one_branch_whose_name_ends_so_and_not_thon_16():
    units = {"cb6": "Chi bộ thôn 6", "cb16": "Chi bộ thôn 16", "cb26": "Chi bộ thôn 26"}
    for typed in (
        "Thôn 6",
        "thôn 06",
        "THÔN 6",
        "thôn6",
        "Thon 6",
        "Chi bộ thôn 6",
        unicodedata.normalize("NFD", "thôn 6"),
    ):
        assert match_unit(typed, units) == ["cb6"]
    assert match_unit("Thôn 1", units) == []
    assert match_unit("ôn 6", units) == []


def test_a_whole_name_wins_over_an_ending_and_two_endings_are_both_named():
    units = {"a": "Thôn 6", "b": "Chi bộ thôn 6"}
    assert match_unit("Thôn 6", units) == ["a"]
    assert match_unit("6", units) == ["a", "b"]


def test_accents_tell_units_apart_and_their_absence_is_ambiguous():
    units = {"a": "Chi bộ thôn Hoà", "b": "Chi bộ thôn Hoa"}
    assert match_unit("thôn Hòa", units) == ["a"]
    assert match_unit("thôn Hồng", units) == []
    assert match_unit("thon hoa", {"a": "Chi bộ thôn Hoà", "c": "Chi bộ thôn Hóa"}) == ["a", "c"]


def test_the_unit_of_another_kind_and_short_words_are_understood():
    prefixes, short = CANDIDATES.unit_prefixes, CANDIDATES.abbreviations
    assert match_unit("Chi đoàn thôn 6", BRANCHES, prefixes=prefixes) == ["cb6"]
    assert match_unit("Trường Trung học cơ sở", BRANCHES, abbreviations=short) == ["cbt"]
    unions = {"pn": "Hội Liên hiệp Phụ nữ xã Tây Sơn", "ccb": "Hội Cựu chiến binh xã Tây Sơn"}
    assert match_unit("Hội LHPN", unions, abbreviations=short, beginnings=True) == ["pn"]
    assert match_unit("Hội", unions, beginnings=True) == []


def test_units_of_one_name_are_told_apart_by_the_unit_above_or_their_id() -> None:
    units = {"a": "Chi bộ thôn 2", "b": "Chi bộ thôn 2", "c": "Chi bộ thôn 3"}
    above = {"a": "Đảng ủy xã An Phú", "b": "Đảng ủy xã Bình Minh", "c": "Đảng ủy xã An Phú"}
    assert match_unit("Chi bộ thôn 2", units, above=above) == ["a", "b"]
    for typed in ("Chi bộ thôn 2, Đảng ủy xã Bình Minh", "Thôn 2 xã Bình Minh", "thon 2 xa binh minh", "b"):
        assert match_unit(typed, units, above=above) == ["b"], typed
    assert match_unit("Thôn 3 xã Bình Minh", units, above=above) == []


def test_a_branch_nobody_knows_is_rejected_by_row_and_column():
    assert rejected(unit="Thôn 60") == [("G2", "Thôn 60 is no branch known here")]


def test_an_ambiguous_branch_is_rejected_and_both_are_named():
    twice = BRANCHES | {"x6": "Chi bộ cơ quan thôn 6"}
    found = read_people(
        sheets(person(unit="Thôn 6")), CANDIDATES, file="ds.xlsx", today=TODAY, branches=twice, organisations={}
    )
    names = "Chi bộ thôn 6 (cb6); Chi bộ cơ quan thôn 6 (x6)"
    assert [(r.cell, r.text()) for r in found.rejected] == [("G2", f"Thôn 6 may be {names}; write the full name")]


# ---- cells ----


@pytest.mark.parametrize(
    ("written", "level"),
    [
        ("12/12", "upper_secondary"), ("11/12", "lower_secondary"), ("9/12", "lower_secondary"), ("8/12", "primary"),
        ("7/12", "primary"), ("5/12", "primary"), ("4/12", "none"), ("0/12", "none"), ("10/10", "upper_secondary"),
        ("7/10", "lower_secondary"), (date(2026, 12, 9), "lower_secondary"), (date(2026, 9, 12), "lower_secondary"),
        (date(2026, 12, 12), "upper_secondary"), (date(2026, 12, 10), "lower_secondary"), ("THPT", "upper_secondary"),
        ("Tiểu học", "primary"), ("Chưa học hết tiểu học", "none"), ("Không biết chữ", "none"),
        ("Đại học Nông nghiệp", "university"), ("CĐ sư phạm", "college"), ("ThS", "postgraduate"),
        ("ĐH Luật", "university"), ("Th.S Luật", "postgraduate"),
        ("Kỹ sư", "university"), ("12/12, CĐ Y", "college"), ("ĐH (TC)", "university"),
        ("12/12 (đang học ĐH)", "upper_secondary"), ("ĐH Luật; TC LLCT", "university"), ("dai hoc", "university"),
        ("TC kế toán", "lower_secondary"), ("Trung cấp", "lower_secondary"),
    ],
)  # fmt: skip
def test_a_level_of_education_reads_from_classes_and_words(written, level):
    assert read_level(written, CANDIDATES) == level


@pytest.mark.parametrize(
    "written", ["13/12", "9/11", "Cao cấp LLCT", "sinh viên đại học", "tin học A", "?", "2/9/2020"]
)
def test_what_says_no_completed_level_is_left_out_with_a_warning(written):
    with pytest.raises(Doubtful):
        read_level(written, CANDIDATES)
    found = read(person(level=written))
    assert "education" not in found.rows[0].facts
    assert [(w.cell, w.heading) for w in found.warnings] == [("F2", "Trình độ")]


@pytest.mark.parametrize(
    ("school", "trade", "level"),
    [
        ("12/12", "ĐH Luật", "university"),
        ("9/12", None, "lower_secondary"),
        ("9/12", "Không", "lower_secondary"),
        ("5/12", "ThS", "postgraduate"),
        ("5/12", "TC kế toán", "lower_secondary"),
        ("12/12", "TC kế toán", "upper_secondary"),
        (None, "CĐ sư phạm", "college"),
    ],
)
def test_the_professional_column_wins_over_the_schooling_and_never_lowers_it(school, trade, level):
    found = read([["Họ và tên", "Văn hóa", "Chuyên môn", "Chi bộ"], ["An", school, trade, "Thôn 3"]])
    assert (found.rows[0].facts["education"], found.warnings) == (level, ())


@pytest.mark.parametrize(
    ("written", "religion"),
    [("Không", "none"), ("KHÔNG", "none"), ("ko", "none"), ("Không có", "none"), ("Phật giáo", "Phật giáo")],
)
def test_no_religion_is_none_and_a_religion_is_its_name(written, religion):
    found = read([["Họ và tên", "Tôn giáo", "Chi bộ"], ["An", written, "Thôn 3"]])
    assert found.rows[0].facts["religion"] == religion


@pytest.mark.parametrize("blank", [None, "-", "…", "...", "  "])
def test_a_cell_that_says_nothing_leaves_the_fact_unknown(blank):
    assert set(facts(born=blank, sex=blank, folk=blank, level=blank)) == {"full_name"}


def test_sex_is_read_and_an_unknown_word_for_it_is_a_warning():
    assert (facts(sex="Nữ")["sex"], facts(sex="nam")["sex"], facts(sex="nu")["sex"]) == ("female", "male", "female")
    found = read(person(sex="khác"))
    assert "sex" not in found.rows[0].facts
    assert found.warnings[0].text() == "khác is none of Nam, Nữ"


def test_month_and_year_of_birth_give_the_year_and_a_warning():
    found = read(person(born="4/1990"))
    assert (found.rows[0].facts["birth_year"], found.warnings[0].cell) == (1990, "D2")


@pytest.mark.parametrize(
    ("born", "reason"),
    [
        ("31/02/1999", "not a day of the calendar"),
        ("25/11/2026", "in the future"),
        ("5/4/90", "two digits"),
        ("#REF!", "is not a date"),
    ],
)
def test_a_birth_date_that_cannot_be_read_is_rejected_by_row_and_column(born, reason):
    ((cell, text),) = rejected(born=born)
    assert (cell, reason in text) == ("D2", True)


@pytest.mark.parametrize("name", [None, "  ", "-"])
def test_a_row_with_data_but_no_name_is_rejected(name):
    assert rejected(name=name) == [("B2", "there is no name")]


@pytest.mark.parametrize("name", ["123", "#N/A", "@an", "<b>", "?"])
def test_what_is_no_name_is_rejected(name):
    assert rejected(name=name) == [("B2", f"{name} is no name")]


def test_numbers_keep_and_regain_their_leading_zeros():
    heading = ["Họ và tên", "Số điện thoại", "CCCD", "Chi bộ"]
    found = read([heading, ["An", "0912 345.678", "001234567890", "Thôn 3"], ["Ba", 912345678, 1234567890, "Thôn 3"]])
    assert [(r.facts["phone"], r.facts["id_number"]) for r in found.rows] == [("0912345678", "001234567890")] * 2
    found = read([heading, ["An", "0912", "12345", "Thôn 3"]])
    assert set(found.rows[0].facts) == {"full_name"}
    assert [w.cell for w in found.warnings] == ["B2", "C2"]


def test_the_title_before_a_helpers_name_is_left_out_and_a_day_of_introduction_must_be_whole():
    heading = ["Họ và tên", "Người giúp đỡ", "Ngày giới thiệu", "Chi bộ"]
    found = read(
        [heading, ["An", "Đ/c TRẦN VĂN BA", "14.12.2022", "Thôn 3"], ["Ba", "đồng chí Lê Tư", "2022", "Thôn 3"]]
    )
    assert (found.rows[0].facts["helper"], found.rows[0].facts["introduced_on"]) == ("Trần Văn Ba", date(2022, 12, 14))
    assert [(r.cell, r.text()) for r in found.rejected] == [("C3", "2022 names no day; write day, month and year")]


def test_a_union_member_is_said_by_a_column_and_not_by_the_title_of_a_list():
    heading = ["Họ tên đoàn viên", "Là đoàn viên", "Chi bộ"]
    found = read([heading, ["An", "x", "Thôn 3"], ["Ba", "không", "Thôn 3"], ["Tư", None, "Thôn 3"]])
    assert [r.facts.get("union_member") for r in found.rows] == ["true", "false", None]


def test_an_introducer_that_is_known_is_its_id_and_an_unknown_one_is_a_warning():
    heading = ["Họ và tên", "Tổ chức giới thiệu", "Chi bộ"]
    found = read([heading, ["An", "Thị Đoàn", "Thôn 3"], ["Ba", "Hội Sinh vật cảnh", "Thôn 3"]])
    assert [r.facts.get("introduced_by") for r in found.rows] == ["td", None]
    assert [(w.cell, w.params["value"]) for w in found.warnings] == [("B3", "Hội Sinh vật cảnh")]


def test_as_above_repeats_the_row_above():
    found = read([list(HEADING), *person()[1:], [2, "Lê Ba", "nt", "06/5/1991", "-nt-", "nt", "như trên"]])
    assert (found.rows[1].org_id, found.rows[1].facts["ethnicity"]) == ("cb3", "Kinh")


# ---- the table ----

SPLIT = [
    ["STT", "Họ và tên", "Ngày sinh", None, "Trình độ", None, "Chi bộ"],
    [None, None, "Nam", "Nữ", "Văn hóa", "Chuyên môn", None],
]


@pytest.mark.parametrize("merged", [(), ("A1:A2", "B1:B2", "C1:D1", "E1:F1", "G1:G2")])
def test_columns_for_men_and_women_give_the_sex_and_the_birth_date(merged):
    rows = [[1, "An", "5/4/1990", None, "9/12", "ĐH", "Thôn 3"], [2, "Ba", None, 1991, "9/12", None, "Thôn 3"]]
    found = read([*SPLIT, *rows], merged)
    assert [(r.facts["sex"], r.facts.get("birth_date"), r.facts.get("birth_year")) for r in found.rows] == [
        ("male", date(1990, 4, 5), None),
        ("female", None, 1991),
    ]
    assert [r.facts["education"] for r in found.rows] == ["university", "lower_secondary"]


def test_dates_in_both_columns_are_rejected_and_marks_say_the_sex_alone():
    both = read([*SPLIT, [1, "An", "5/4/1990", "6/4/1990", "9/12", None, "Thôn 3"]])
    assert [(r.cell, r.text()) for r in both.rejected] == [("D3", "sex is male in one column and female here")]
    heading = [["Họ và tên", "Giới tính", None, "Năm sinh", "Chi bộ"], [None, "Nam", "Nữ", None, None]]
    marks = read([*heading, ["An", "x", None, 1990, "Thôn 3"], ["Ba", None, "X", 1991, "Thôn 3"]])
    assert [(r.facts["sex"], r.facts["birth_year"]) for r in marks.rows] == [("male", 1990), ("female", 1991)]


@pytest.mark.parametrize("heading", ["Ngày sinh (Nữ)", "Năm sinh nữ", "NGAY SINH NU"])
def test_a_flat_heading_for_women_says_the_sex_too(heading):
    found = read([["Họ và tên", heading, "Chi bộ"], ["An", "5/4/1990", "Thôn 3"]])
    assert found.rows[0].facts["sex"] == "female"


@pytest.mark.parametrize(
    "heading", ["HỌ VÀ TÊN", "Ho va ten", "Họ,  và\ntên", unicodedata.normalize("NFD", "Họ và tên (chữ in hoa)")]
)
def test_headings_match_without_case_accents_or_punctuation(heading):
    assert len(read([[heading, "Chi bộ"], ["An", "Thôn 3"]]).rows) == 1


def test_family_name_and_given_name_in_two_columns_are_one_name():
    found = read(
        [["TT", "Họ và tên", None, "Chi bộ"], [None, "Họ đệm", "Tên", None], [1, "TRẦN VĂN", "AN", "Thôn 3"]], ["B1:C1"]
    )
    assert found.rows[0].facts["full_name"] == "Trần Văn An"


def test_a_column_nobody_knows_is_named_in_a_warning_and_kept_out():
    found = read([["Họ và tên", "Sở thích", "Chi bộ", "Ghi chú"], ["An", "cờ tướng", "Thôn 3", None]])
    assert found.rows[0].facts == {"full_name": "An"}
    assert [(w.cell, w.params) for w in found.warnings] == [("B1", {"heading": "Sở thích"})]


def test_the_second_of_two_columns_for_one_fact_is_kept_out_with_a_warning():
    found = read([["Họ và tên", "Nơi ở", "Địa chỉ", "Chi bộ"], ["An", "thôn 3", "thôn 4", "Thôn 3"]])
    assert (found.rows[0].facts["residence"], [w.cell for w in found.warnings]) == ("thôn 3", ["C1"])


def test_a_first_row_without_a_name_is_no_part_of_the_heading():
    text = "TT;Họ và tên;Giới tính;Ngày sinh;Chi bộ\n1;;Nữ;23/12/1980;Thôn 3\n"
    assert [r.cell for r in people(read_sheets(text.encode(), "ds.csv")).rejected] == ["B2"]


def test_titles_numbered_columns_totals_and_signatures_are_no_people():
    found = read(
        [
            ["ĐẢNG BỘ XÃ TÂY SƠN", None, None, "ĐẢNG CỘNG SẢN VIỆT NAM"],
            ["DANH SÁCH QUẦN CHÚNG ƯU TÚ"],
            [None],
            list(HEADING),
            ["(1)", "(2)", "(3)", "(4)", "(5)", "(6)", "(7)"],
            *person()[1:],
            [2, None, None, None, None, None, None],
            [None, "Tổng cộng: 01 người"],
            [None, "Cộng", 1],
            ["Danh sách này có 01 quần chúng./."],
            [None, None, None, None, "Tây Sơn, ngày 05 tháng 12 năm 2022"],
            [None, "NGƯỜI LẬP BIỂU", None, None, "T/M ĐẢNG ỦY"],
            [None, None, None, None, "BÍ THƯ"],
            [None],
            [None, "Lê Thị Lập", None, None, "Nguyễn Văn Bí"],
        ]
    )
    assert [(r.row, r.facts["full_name"]) for r in found.rows] == [(6, "Trần Văn An")]
    assert (found.rejected, found.warnings, found.read) == ((), (), 1)


def test_a_person_below_a_total_is_still_read():
    second = [2, "Lê Ba", "Nữ", 1991, "Kinh", "9/12", "Thôn 1"]
    assert (
        len(
            read(
                [*person(), [None, "Cộng: 1"], second, [None, "T/M ĐẢNG ỦY"], [3, *second[1:1], "Lê Tư", *second[2:]]]
            ).rows
        )
        == 3
    )


@pytest.mark.parametrize(
    "group",
    [
        "Chi bộ thôn 3",
        "II. Chi bộ thôn 3",
        "2) CHI BỘ THÔN 3",
        "Chi bộ thôn 3 (02 đ/c)",
        "Thôn 3: 2",
        "3. Thôn 3 - 2 người",
    ],
)
def test_a_group_row_names_the_branch_of_the_rows_below_it(group):
    heading = ["STT", "Họ và tên", "Ngày sinh"]
    found = read([heading, ["I", "Chi bộ thôn 1"], [1, "An", 1990], [None, group], [2, "Ba", 1991], [3, "Tư", 1992]])
    assert [r.org_id for r in found.rows] == ["cb1", "cb3", "cb3"]
    first = read([heading, [group], [1, "An", 1990]])
    assert [r.org_id for r in first.rows] == ["cb3"]


def test_a_group_nobody_knows_is_rejected_once_and_only_if_people_stand_under_it():
    heading = ["STT", "Họ và tên", "Ngày sinh"]
    found = read([heading, ["A", "Đảng bộ xã khác"], ["I", "Chi bộ thôn 99"], [1, "An", 1990], [2, "Ba", 1991]])
    assert [(r.cell, r.text()) for r in found.rejected] == [("B3", "Chi bộ thôn 99 is no branch known here")]
    assert (found.read, found.rows) == (2, ())


def test_a_rows_own_branch_wins_over_its_group():
    found = read([["Họ và tên", "Chi bộ"], ["Chi bộ thôn 1"], ["An", "Thôn 3"], ["Ba", None]])
    assert [r.org_id for r in found.rows] == ["cb3", "cb1"]


def test_cells_merged_over_several_people_count_for_each():
    rows: Rows = [["Họ và tên", "Ngày sinh", "Chi bộ"], ["An", 1990, "Thôn 3"], ["Ba", 1991, None], ["Tư", 1992, None]]
    assert [r.org_id for r in read(rows, ["C2:C4"]).rows] == ["cb3"] * 3


def test_the_branch_in_the_title_counts_for_a_list_without_groups_and_none_at_all_is_rejected():
    table: Rows = [["Họ và tên", "Ngày sinh"], ["An", 1990]]
    assert [r.org_id for r in read([["CHI BỘ THÔN 3"], ["DANH SÁCH"], *table]).rows] == ["cb3"]
    assert [r.org_id for r in read(table, own="cb5").rows] == ["cb5"]
    assert [(r.cell, r.text()) for r in read(table).rejected] == [("2", "no branch is named for this row")]


def test_the_heading_printed_again_on_the_next_page_is_no_person():
    second = [2, "Lê Ba", "Nữ", 1991, "Kinh", "9/12", "Thôn 1"]
    assert [r.row for r in read([*person(), list(HEADING), second]).rows] == [2, 4]


def test_hidden_and_empty_sheets_are_left_out_and_a_sheet_without_headings_is_named():
    def more(workbook):
        hidden = workbook.add_worksheet("Cũ")
        hidden.write_row(0, 0, list(HEADING))
        hidden.hide()
        workbook.add_worksheet("Sheet2")
        workbook.add_worksheet("Ghi").write(0, 0, "nhớ gửi")

    found = people(read_sheets(book(person(), more=more), "ds.xlsx"))
    assert len(found.rows) == 1
    assert [(w.sheet, w.message) for w in found.warnings] == [
        ("Cũ", "the sheet is hidden and was not read"),
        ("Ghi", "the sheet has no row with headings and was not read"),
    ]


def test_a_file_without_a_heading_is_bad_input_that_names_the_file():
    with pytest.raises(BadInput, match=r"ds\.xlsx: no row with headings was found; .* full_name"):
        people(sheets([["Danh sách"], ["An", "Ba"]]))


def test_the_same_person_twice_is_read_once_if_equal_and_rejected_if_not():
    again = person()[1:]
    assert len(read([*person(), *again]).rows) == 1
    other = read([*person(), *person(folk="Tày")[1:]])
    assert [(r.cell, r.params) for r in other.rejected] == [("B3", {"row": 2})]


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("name: a\nrequired: b\ncolumns: []\n", "no column goes to b"),
        ("nmae: a\n", "nmae"),
        ("a: [", "no valid YAML"),
        ("a: &x [1]\nb: [*x, *x]\n", "aliases"),
        ("name: a\nrequired: b\ncolumns: [{to: b, read: guess, headings: []}]\n", "columns.0.read"),
    ],
)
def test_a_profile_that_is_wrong_is_refused_with_file_and_key(text, key):
    with pytest.raises(BadInput) as caught:
        load_profile(text, "lists.yaml")
    assert key in caught.value.text()
    assert caught.value.text().startswith("lists.yaml: ")
