"""Mistakes that the authors of workflow files make. In what is put in, § stands where the finding must stand."""

from __future__ import annotations

from dataclasses import dataclass

CANDIDATE, AREA, PLAN, REVIEW, PROBATION, CLASS, INTRODUCTION, TARGET = (
    f"{name}.yaml"
    for name in (
        "candidate", "area", "annual_plan", "monthly_review", "probation", "training_class", "introduction", "target"
    )
)  # fmt: skip


@dataclass(frozen=True)
class Slip:
    """One mistake: what stands in a file, what is written instead, and words that the finding holds."""

    name: str
    file: str
    was: str
    now: str
    words: tuple[str, ...]


SLIPS = [
    # names and keys
    Slip(
        "unknown key",
        CANDIDATE,
        "    asks: [branch_proposed_on]\n    takes: [motives, helper]",
        "    §ask: [branch_proposed_on]\n    takes: [motives, helper]",
        ("unknown key ask", "asks"),
    ),
    Slip("unknown key at the top", CANDIDATE, "\ntimers:\n", "\n§timer:\n", ("unknown key timer", "timers")),
    Slip("unknown key in the area", AREA, "  office_hours:", "  §office_hour:", ("office_hour", "office_hours")),
    Slip("missing key", CANDIDATE, "    to: elite\n    by: [heads]\n", "    to: elite\n", ("the key by is missing",)),
    Slip("duplicate key", CANDIDATE, "\nrules:\n", "\nrules: {}\n§rules:\n", ("rules stands twice",)),
    Slip(
        "duplicate fact",
        CANDIDATE,
        "  phone: {type: text,",
        "  phone: {type: text, §type: text,",
        ("type stands twice",),
    ),
    Slip(
        "alias",
        CANDIDATE,
        "    guards: [reason_given]\n    clears: {cycles: [dossier, vote]}",
        "    guards: §*reasons\n    clears: {cycles: [dossier, vote]}",
        ("alias",),
    ),
    Slip(
        "anchor",
        CANDIDATE,
        "    guards: [reason_given]\n    clears: {cycles: [dossier, vote]}",
        "    guards: §&reasons [reason_given]\n    clears: {cycles: [dossier, vote]}",
        ("anchor",),
    ),
    Slip("merge key", CANDIDATE, "start:\n", "start:\n  §<<: {}\n", ("merge",)),
    Slip("tag", CANDIDATE, "title_fact: full_name", "title_fact: §!!python/name:os.system full_name", ("tag",)),
    Slip(
        "unknown state",
        CANDIDATE,
        "from: trained\n    to: dossier",
        "from: §traned\n    to: dossier",
        ("no state traned", "trained"),
    ),
    Slip(
        "unknown target",
        CANDIDATE,
        "to: elite\n    by: [heads]",
        "to: §elit\n    by: [heads]",
        ("no state elit", "elite"),
    ),
    Slip(
        "unknown fact asked for", CANDIDATE, "asks: [drop_reason]", "asks: [§drop_reson]", ("drop_reson", "drop_reason")
    ),
    Slip(
        "unknown rule",
        CANDIDATE,
        "guards: [introduced, motives_known,",
        "guards: [introduced, §motive_known,",
        ("no rule motive_known", "motives_known"),
    ),
    Slip(
        "unknown trigger",
        CANDIDATE,
        "never_by_who_did: [open_dossier,",
        "never_by_who_did: [§opn_dossier,",
        ("no trigger opn_dossier", "open_dossier"),
    ),
    Slip("unknown authority", CANDIDATE, "to: elite\n    by: [heads]", "to: elite\n    by: [§head]", ("head", "heads")),
    Slip(
        "unknown role",
        CANDIDATE,
        "by: [{roles: [secretary, deputy, clerk], of: [cells, committees], over: to_org}]\n"
        "    invalid:\n      - when: not known(to_org)\n        fact: to_org\n"
        "        message: {vi: Không có đề nghị chuyển nào đang chờ., en: No transfer is pending.}\n    belongs_to",
        "by: [{roles: [§secretry], of: [cells, committees], over: to_org}]\n"
        "    invalid:\n      - when: not known(to_org)\n        fact: to_org\n"
        "        message: {vi: Không có đề nghị chuyển nào đang chờ., en: No transfer is pending.}\n    belongs_to",
        ("no role secretry", "secretary"),
    ),
    Slip(
        "unknown role in the area",
        AREA,
        "deciders:\n    - {roles: [standing_committee]",
        "deciders:\n    - {roles: [§standing_comittee]",
        ("standing_comittee", "standing_committee"),
    ),
    Slip("unknown kind", AREA, "cells: [branch, ", "cells: [§brnch, ", ("no kind brnch", "branch")),
    Slip(
        "unknown template",
        CANDIDATE,
        "    due: certificate_until\n    send:",
        "    template: §certificate_expirin\n    due: certificate_until\n    send:",
        ("no template certificate_expirin", "certificate_expiring"),
    ),
    Slip(
        "unknown cycle",
        CANDIDATE,
        "clears: {cycles: [certificate, dossier, vote]}",
        "clears: {cycles: [§certificat, dossier, vote]}",
        ("no cycle certificat", "certificate"),
    ),
    Slip(
        "unknown list",
        CANDIDATE,
        "of: education_levels",
        "of: §education_level",
        ("education_level", "education_levels"),
    ),
    Slip(
        "unknown paper cleared",
        CANDIDATE,
        "facts: [papers.branch_resolution]",
        "facts: [§papers.branch_resolutin]",
        ("branch_resolutin",),
    ),
    Slip(
        "unknown source",
        CANDIDATE,
        "holds: written(motives)\n    versions: working_rule",
        "holds: written(motives)\n    versions: §working_rul",
        ("working_rul", "working_rule"),
    ),
    Slip(
        "unknown workflow opened",
        CANDIDATE,
        "opens: {workflow: probation,",
        "opens: {workflow: §probaton,",
        ("probaton", "probation"),
    ),
    Slip("unknown trigger of a timer", CANDIDATE, "fires: lapse}", "fires: §laps}", ("no trigger laps", "lapse")),
    Slip("timer of an officer's step", CANDIDATE, "fires: lapse}", "fires: §refuse}", ("clock",)),
    Slip("unknown time zone", AREA, "zone: Asia/Ho_Chi_Minh", "zone: §Asia/Saigoon", ("Asia/Saigoon",)),
    # expressions
    Slip(
        "misspelt fact in an expression",
        CANDIDATE,
        "holds: written(motives)",
        "holds: written(§motivs)",
        ("motivs", "motives"),
    ),
    Slip(
        "misspelt fact further on",
        CANDIDATE,
        "holds: known(introduced_by) or known(branch_proposed_on)",
        "holds: known(introduced_by) or known(§branch_propsed_on)",
        ("branch_propsed_on", "branch_proposed_on"),
    ),
    Slip(
        "misspelt paper",
        CANDIDATE,
        "known(papers['union_resolution'])",
        "known(papers[§'union_resolutin'])",
        ("union_resolutin", "union_resolution"),
    ),
    Slip(
        "misspelt function",
        CANDIDATE,
        "is: add_working_days(branch_reviewed_on, 60)",
        "is: §add_workin_days(branch_reviewed_on, 60)",
        ("add_workin_days", "add_working_days"),
    ),
    Slip(
        "unlike types", CANDIDATE, "holds: day <= certificate_until", "holds: day <= §certificate_no", ("date", "text")
    ),
    Slip("choice that is none", CANDIDATE, "conduct == 'good' and", "conduct == §'goood' and", ("goood", "good")),
    Slip(
        "guard that is a number", CANDIDATE, "holds: written(helper)\n", "holds: §votes_for + 1\n", ("number", "bool")
    ),
    Slip("guard that is a date", CANDIDATE, "holds: known(reason)", "holds: §certificate_until", ("date", "bool")),
    Slip(
        "a day that is a text",
        CANDIDATE,
        "day: branch_reviewed_on\n    versions: guideline",
        "day: §helper\n    versions: guideline",
        ("text", "date"),
    ),
    Slip(
        "a fact set to another type",
        CANDIDATE,
        "sets: {recognised_on: today}",
        "sets: {recognised_on: §votes_for}",
        ("recognised_on is date", "number"),
    ),
    Slip("an attribute", CANDIDATE, "holds: known(reason)", "holds: known(reason§.__class__)", (".",)),
    Slip("an unfinished expression", CANDIDATE, "holds: known(reason)", "holds: known§(reason", ("not an expression",)),
    Slip(
        "a fact derived from itself",
        CANDIDATE,
        'is: "add_months(certificate_on, 60)"',
        'is: §"add_months(certificate_until, 60)"',
        ("itself",),
    ),
    # versions
    Slip(
        "versions that overlap",
        AREA,
        "from: 2025-07-01\n      unverified: true\n      note:\n        vi: Còn có",
        "from: §2025-06-30\n      unverified: true\n      note:\n        vi: Còn có",
        ("begins before",),
    ),
    Slip(
        "a gap between versions",
        AREA,
        "from: 2025-07-01\n      unverified: true\n      note:\n        vi: Còn có",
        "from: §2025-07-03\n      unverified: true\n      note:\n        vi: Còn có",
        ("no version from 2025-07-01 to 2025-07-02", "gaps"),
    ),
    Slip(
        "a version that ends before it begins",
        AREA,
        "from: 2016-07-25\n      until: 2021-07-29",
        "from: 2016-07-25\n      until: §2016-07-24",
        ("before the first",),
    ),
    Slip("a day that is none", AREA, "from: 2016-07-25\n", "from: §2016-07-32\n", ("2016-07-32",)),
    # machines
    Slip(
        "two initial states",
        CANDIDATE,
        "elite: {label:",
        "elite: {initial: true, label:",
        ("exactly one state is initial",),
    ),
    Slip("a state that is not text", CANDIDATE, "from: source\n", "from: §{a: b}\n", ("list",)),
    Slip(
        "a notice told and dated",
        CANDIDATE,
        "    on: refuse",
        "    on: refuse\n    due: today\n    send: on the day",
        ("either",),
    ),
    Slip(
        "an offset that is none",
        CANDIDATE,
        "send: [90 days before, 30 days before]",
        "send: [90 days before, §a month before]",
        ("a month before",),
    ),
    Slip("not YAML", CANDIDATE, "\nstart:\n", "\nstart:\n§\t- x\n", ("tab",)),
    # between workflows
    Slip(
        "a fact read that is not there",
        PROBATION,
        "reads: {from: candidate, fact: full_name}",
        "reads: {from: candidate, fact: §ful_name}",
        ("no fact ful_name", "full_name"),
    ),
    Slip(
        "a fact read of another type", PROBATION, "full_name: {type: text,", "full_name: {type: §int,", ("text there",)
    ),
    Slip(
        "a line that runs what is not there",
        REVIEW,
        "step: recognise",
        "step: §recognize",
        ("no trigger recognize", "recognise"),
    ),
    # steps that move many
    Slip(
        "a batch of no workflow",
        CLASS,
        "workflow: [candidate, probation]\n      in: [elite",
        "workflow: §[candidat, probation]\n      in: [elite",
        ("no workflow candidat",),
    ),
    Slip(
        "a rule of a line that one workflow lacks",
        CLASS,
        "guards: [class_fits, class_free, course_wanted]\n          sets",
        "guards: §[twelve_months_served]\n          sets",
        ("no rule twelve_months_served",),
    ),
    Slip("a line that stands in for none", CLASS, "otherwise: wait", "otherwise: §waitt", ("no line waitt", "wait")),
    Slip(
        "a note of another type",
        CLASS,
        "students: \"'enrolled'\"\n        wait",
        "students: §today\n        wait",
        ("students is",),
    ),
    Slip("a note of no fact", CLASS, "results: \"'fail'\"", "result: §\"'fail'\"", ("no fact result", "results")),
    Slip(
        "an entry that is no value of the map",
        CLASS,
        "entries(students, 'waitlisted')",
        "entries(students, §'waitlist')",
        ("no value waitlist", "waitlisted"),
    ),
    Slip(
        "the rest over no map of subjects",
        CLASS,
        "{over: students, when: \"students[line] == 'enrolled'\", do: fail}",
        "{over: §allotments, when: \"students[line] == 'enrolled'\", do: fail}",
        ("no map keyed by subjects allotments",),
    ),
    Slip("a range without its end", CLASS, "last: last_no", "last: §last_number", ("last_number", "last_no")),
    Slip("recipients of no map", CLASS, "of: students, being: enrolled", "of: §student, being: enrolled", ("student",)),
    Slip(
        "recipients being what nobody is",
        CLASS,
        "of: students, being: waitlisted",
        "of: students, being: §waiting",
        ("no value waiting",),
    ),
    Slip(
        "a line that does nothing",
        REVIEW,
        "keep: {sets: {considered_on: held_on}, notes: {sitting_results: \"'keep'\"}, label",
        "keep: §{label",
        ("a line runs a step",),
    ),
    Slip(
        "a suggestion without its line",
        CLASS,
        "awaits: {enrol: awaits_class}",
        "awaits: {enroll: §awaits_class}",
        ("no line enroll", "enrol"),
    ),
    Slip(
        "the rest of those awaited without what they wait for",
        CLASS,
        "rest: {do: enrol, awaited: true",
        "rest: {do: §wait, awaited: true",
        ("no line of `awaits` wait",),
    ),
    Slip(
        "begun at what is no organisation", INTRODUCTION, "at: to_branch", "at: §to_brunch", ("to_brunch", "to_branch")
    ),
    Slip("decided on no day", TARGET, "decided_on: decision_on", "decided_on: §decision_no", ("decision_no",)),
]
