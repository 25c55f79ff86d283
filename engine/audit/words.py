"""A root hash as words for the telephone: 32 words and 4 check words, in four lines of nine.

Every word is a common Vietnamese word of two syllables. The first syllables alone differ, all 256, even where a
region's speech runs sounds together (l and n, s and x, ch and tr, d gi r and v, -n -ng -nh, -t -c -ch, all tones) and
even when they are typed without marks; so a word is known by its first syllable, and the second confirms it. Digits
would be 78 and checks, with nothing in a digit to confirm it.

The last word of a line is a check over GF(256): one wrong word in a line, or two words of a line exchanged, are always
found, and so is a line in the place of another; anything else passes one line with a chance of 1/256.
"""

from __future__ import annotations

import re
import unicodedata

from engine.core.errors import BadInput

_LINES = 4
_LINE_WORDS = 8  # and one check word
_POLYNOMIAL = 0x11D  # x^8 + x^4 + x^3 + x^2 + 1, of which x is a generator

# The place of a word is its byte. A published list: it is never changed, as that would change what old words mean.
_LIST = """
ấm_trà ăn_cơm áo_mưa bãi_biển bàn_phím bảo_tàng bắp_cải bát_cơm bầu_trời bến_xe bí_đao bình_nước bọ_ngựa
bóng_đèn búa_sắt bụi_tre bưởi_đường bươm_bướm búp_bê bút_chì bưu_điện cà_rốt cam_ngọt cánh_cửa cào_cào cặp_sách
cát_trắng câu_cá cây_bút cháo_gà chìa_khóa chiếc_thuyền chiếu_cói chim_sẻ chợ_nổi chổi_rơm chùm_nho chuối_tiêu
cổ_tích cốc_nước con_trâu củ_gừng cửa_sổ cúc_áo cuộn_chỉ đá_bóng đầm_sen dao_kéo đất_sét đèn_dầu đi_bộ đôi_dép
đu_đủ dưa_leo duyên_hải gà_trống gạo_nếp gặt_lúa gấu_bông giọt_sương gỗ_lim gốc_cây gối_mềm gương_soi hầm_mỏ
hành_lá hạt_mưa hẻm_nhỏ hến_sông hồ_bơi hoa_quả học_bài hội_chợ hòm_thư hòn_đá hộp_sữa hương_thơm hươu_sao
huýt_sáo kể_chuyện kem_dừa kênh_rạch kẹo_lạc khách_sạn khăn_mặt khế_chua khỉ_vàng khoai_môn khói_bếp khóm_trúc
khu_rừng khung_cửa kịch_nói kiến_lửa kim_chỉ kính_râm kỳ_nghỉ lá_cờ lạc_đà lâu_đài leo_núi lều_trại lịch_treo
lò_gạch lốp_xe lúa_mì lưng_đồi lưới_cá mắm_tôm măng_tre mật_ong máy_tính me_chua mèo_mun mía_đường miến_gà
mít_mật mỏ_than mộc_nhĩ môi_trường mũ_nón mùa_xuân mực_ống muối_biển muỗng_canh mướp_hương nải_chuối nấm_rơm
nắng_sớm nem_rán nến_sáp ngã_ba nghe_nhạc nghỉ_hè ngô_nướng ngôi_sao ngọn_đuốc ngủ_trưa ngựa_gỗ nhà_bếp nhẫn_bạc
nhảy_dây nhổ_cỏ nhót_chua nhựa_thông nhung_hươu nồi_đất nong_tằm núi_lửa nước_mắm nương_ngô ô_tô ổi_xanh
ống_khói ớt_cay phấn_trắng pháo_hoa phi_công phích_nước phim_ảnh phở_bò phong_bì phù_sa phượng_đỏ quả_bưởi
quảng_trường quạt_nan que_diêm quốc_lộ quyển_vở quýt_ngọt răng_khôn rạp_xiếc rau_muống rèm_cửa rừng_thông
rượu_nếp sách_vở sấm_sét sân_khấu sáo_trúc sầu_riêng sen_hồng sò_huyết sơn_mài sư_tử sữa_chua suối_reo sương_mù
súp_lơ tắc_kè tai_nghe tấm_gỗ táo_đỏ tàu_thủy tem_thư tép_khô thạch_sùng thảm_len thành_phố thau_đồng thầy_thuốc
thể_thao thềm_nhà thị_trấn thìa_nhôm thịt_gà thợ_mộc thóc_giống thông_reo thủ_kho thung_lũng thước_kẻ
thuyền_buồm tía_tô tiệm_vàng tiếng_hát tổ_chim tỏi_đen tôm_hùm trà_sen trái_đất trạm_xá trăng_tròn trầu_cau
trẻ_em trống_đồng trúc_xanh trứng_vịt trường_học trượt_băng tủ_lạnh túi_vải tuổi_thơ tương_ớt tuyết_rơi ủng_da
uống_trà vải_thiều ve_sầu việt_quất vịnh_biển vịt_trời vở_kịch vòng_tay vườn_rau xà_phòng xe_đạp xích_lô
xiếc_thú xoài_cát xôi_gấc xóm_nhỏ xúc_xắc y_tá yên_ngựa
"""
WORDS = tuple(word.replace("_", " ") for word in _LIST.split())


class BadWords(BadInput):
    """These are not the words of a root."""


def to_words(root: bytes) -> tuple[tuple[str, ...], ...]:
    """Returns four lines of nine words for the 32 bytes of a root; the last word of each line is its check."""
    if len(root) != _LINES * _LINE_WORDS:
        raise ValueError(f"a root has 32 bytes, not {len(root)}")
    lines = []
    for number in range(_LINES):
        part = root[number * _LINE_WORDS : (number + 1) * _LINE_WORDS]
        lines.append(tuple(WORDS[byte] for byte in (*part, _check(number, part))))
    return tuple(lines)


def from_words(text: str) -> bytes:
    """Reads the words of a root back, typed with or without marks, with any signs and line breaks between them.

    Raises BadWords where there are fewer or more, and with `line` (from 1) and, for a word that is none, `word` (from
    1) where one was misheard.
    """
    syllables = re.findall(r"[a-z]+", _bare(text))
    typed = [" ".join(syllables[at : at + 2]) for at in range(0, len(syllables), 2)]
    width = _LINE_WORDS + 1
    root = bytearray()
    for number in range(_LINES):
        words = typed[number * width : (number + 1) * width]
        if len(words) < width:
            raise BadWords("{n} words were typed, and a root has {all}.", n=len(typed), all=_LINES * width)
        line = bytes(_byte(word, number, place) for place, word in enumerate(words))
        if line[-1] != _check(number, line[:-1]):
            raise BadWords("Line {line} does not agree with its last word: have it read again.", line=number + 1)
        root += line[:-1]
    if len(typed) > _LINES * width:
        raise BadWords("There are more words than a root has.")
    return bytes(root)


def _byte(typed: str, number: int, place: int) -> int:
    byte = _bytes.get(typed)
    if byte is None:
        raise BadWords(
            "Line {line}, word {word}: “{typed}” is not in the list.",
            line=number + 1,
            word=place + 1,
            typed=typed[:40],
        )
    return byte


def _check(number: int, part: bytes) -> int:
    """Returns the sum over GF(256) of x^(i+1) times byte i, with the line's number added."""
    total = number + 1
    for i, byte in enumerate(part):
        for _ in range(i + 1):
            byte = (byte << 1) ^ (_POLYNOMIAL if byte & 0x80 else 0)
        total ^= byte
    return total


def _bare(text: str) -> str:
    """Returns the text in lower case without marks; đ, which does not fall apart in NFD, becomes d."""
    spread = unicodedata.normalize("NFD", text.lower().replace("đ", "d"))
    return "".join(c for c in spread if not unicodedata.combining(c))


_bytes = {_bare(word): byte for byte, word in enumerate(WORDS)}
