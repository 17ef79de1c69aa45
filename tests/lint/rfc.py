#!/usr/bin/env python3
"""Joins requirement tags into docs/CONFORMANCE.md.

    rfc.py --write [ROOT]    generates the page
    rfc.py --check [ROOT]    1 if the page is not what would be generated, or a tag or a requirement is wrong

A tag is the bare id of a requirement (MUST-10, SHLD-2, R8985-1) in a comment: in the code where it is fulfilled, in the tests
inside a test or right above it. tests/conformance/requirements.tsv has the requirements, tests/conformance/exceptions.tsv those
that have no place in code or tests, and why.
"""
import collections
import os
import re
import sys

LIST = "tests/conformance/requirements.tsv"
EXCEPTIONS = "tests/conformance/exceptions.tsv"
PAGE = "docs/CONFORMANCE.md"
CODE = ("stack", "tls", "apps")
TESTS = ("tests/unit", "tests/tls", "tests/conformance", "tests/lab", "tests/sim")

TAG = re.compile(r"\b(?:(?:MUST|SHLD|MAY|REC)-\d+|R\d{4}-[A-Z]*\d+)\b")
TEST = re.compile(r"^(?:START_TEST|COMPARED)\((\w+)")
FOR_CXX = re.compile(r"^#ifdef __cplusplus\n.*\n#endif$", re.M)  # three lines: extern "C" {, or its end
NAME = re.compile(r"(\w+)(?=\(|\[|\s*=|;|\s*\{)")
VERDICTS = {
    "absent": "met by what is not there",
    "user": "for the user of the stack to keep",
    "differs": "done otherwise",
    "no": "not done",
}

Requirement = collections.namedtuple("Requirement", "id level text ref")
Place = collections.namedtuple("Place", "file name")


def table(path, width, findings):
    """Rows of a TSV file, without comments and the head."""
    rows = []
    with open(path, encoding="utf-8") as lines:
        for number, line in enumerate(lines, 1):
            cells = line.rstrip("\n").split("\t")
            if line.startswith("#") or number == 1 or not line.strip():
                continue
            if len(cells) != width:
                findings.append(f"{path}:{number}: {len(cells)} cells instead of {width}")
            else:
                rows.append(cells)
    return rows


def sources(root, folders, suffixes):
    for folder in folders:
        for where, below, files in os.walk(os.path.join(root, folder)):
            below.sort()
            for name in sorted(files):
                if name.endswith(suffixes):
                    yield os.path.relpath(os.path.join(where, name), root)


# ---- one file -----------------------------------------------------------------------------------------------------


def split_comments(text):
    """Per line (code, comment) of a C file."""
    lines, inside = [], False
    for line in text.split("\n"):
        code, comment = "", ""
        while line:
            if inside:
                end = line.find("*/")
                inside = end < 0
                comment += line if inside else line[:end]
                line = "" if inside else line[end + 2 :]
                continue
            starts = [i for i in (line.find("/*"), line.find("//")) if i >= 0]
            if not starts:
                code += line
                break
            at = min(starts)
            code += line[:at]
            if line.startswith("//", at):
                comment += line[at:]
                break
            inside, line = True, line[at + 2 :]
        lines.append((code.rstrip(), comment))
    return lines


def item_name(code):
    """What a line in column one begins: a test, a function, a table, a struct, a macro."""
    test = TEST.match(code)
    if test:
        return test.group(1)
    define = re.match(r"#\s*define\s+(\w+)", code)
    if define:
        return define.group(1)
    named = NAME.search(code)
    return named.group(1) if named else None


def depth_change(code):
    """Braces opened less those closed, outside of strings and characters."""
    code = re.sub(r'"(?:[^"\\]|\\.)*"|\'(?:[^\'\\]|\\.)*\'', "", code)
    return code.count("{") - code.count("}")


def tags_of_c(text):
    """(line, tag, item): the item that the comment is in, or else the next one; None for the file's head."""
    found, waiting, item, depth = [], [], None, 0
    lines = split_comments(FOR_CXX.sub("\n\n", text))
    head = bool(lines[0][1])
    for number, (code, comment) in enumerate(lines, 1):
        tags = TAG.findall(comment)
        name = item_name(code) if code and not item and code[0] not in " \t{}" else None
        head = head and not code
        if name and not code.startswith("END_TEST"):
            found += [(line, tag, name) for line, tag in waiting]
            waiting, item = [], name
        if item or head:
            found += [(number, tag, item) for tag in tags]
        else:
            waiting += [(number, tag) for tag in tags]
        depth += depth_change(code)
        if depth == 0 and code.endswith((";", "}")) or code.startswith("#") and not code.endswith("\\"):
            item = None
    return found + [(line, tag, None) for line, tag in waiting]


def tags_of_script(text):
    """(line, tag, None) of a shell script's comments."""
    found = []
    for number, line in enumerate(text.split("\n"), 1):
        comment = re.search(r"(^|\s)#.*", line)
        if comment:
            found += [(number, tag, None) for tag in TAG.findall(comment.group(0))]
    return found


def test_name(path, item):
    """As docs/FEATURES.md names tests: suite/case, or the name by which ctest knows a script."""
    base = os.path.splitext(os.path.basename(path))[0]
    if path.startswith("tests/lab/"):
        return "lab-" + re.sub("^lab_", "", base)
    if path.startswith("tests/sim/"):
        return "sim"
    return f"{re.sub('^test_', '', base)}/{item}" if item else None


def is_test(path, item):
    if not path.endswith(".c") or path.startswith("tests/sim/"):
        return True
    with open(path, encoding="utf-8") as file:
        return item is not None and re.search(rf"^(START_TEST|COMPARED)\({item}\b", file.read(), re.M) is not None


# ---- all of them --------------------------------------------------------------------------------------------------


def collect(folders, suffixes, known, findings, tests):
    """id -> places, in the order of the files, each once."""
    places = collections.defaultdict(list)
    for path in sources(".", folders, suffixes):
        with open(path, encoding="utf-8") as file:
            text = file.read()
        tags = tags_of_script(text) if path.endswith(".sh") else tags_of_c(text)
        for line, tag, item in tags:
            if tag not in known:
                findings.append(f"{path}:{line}: {tag} is no requirement of {LIST}")
            elif tests and not is_test(path, item):
                findings.append(f"{path}:{line}: {tag} is at no test")
            elif not tests and item is None:
                findings.append(f"{path}:{line}: {tag} is at no function, table or macro")
            else:
                place = test_name(path, item) if tests else Place(path, item)
                if place not in places[tag]:
                    places[tag].append(place)
    return places


def missing(requirement, code, tests, reasons):
    """What a binding requirement lacks; of the others only their level is counted."""
    if requirement.id in reasons or not requirement.level.startswith("MUST"):
        return None
    lacks = [what for what, places in (("code", code), ("test", tests)) if not places[requirement.id]]
    return " and ".join(lacks) or None


def rfc_of(requirement):
    return requirement.id[1:5] if re.match(r"R\d", requirement.id) else "9293"


# ---- the page -----------------------------------------------------------------------------------------------------


def status(requirement, code, tests, reasons):
    if requirement.id in reasons:
        return reasons[requirement.id][0]
    if code[requirement.id] and tests[requirement.id]:
        return "shown"
    return "code" if code[requirement.id] else "open"


def code_cell(places):
    return "<br>".join(f"{p.file.removeprefix('stack/')} `{p.name}`" for p in places)


def test_cell(places):
    return "<br>".join(f"`{p}`" for p in places)


def summary(rows):
    kinds = ("shown", "absent", "user", "differs", "no", "code", "open")
    levels = ("MUST", "SHOULD", "MAY")
    lines = [
        "| level | all | met, shown by a test | met by what is not there | for the user to keep | done otherwise | not done "
        "| met, no test | open |",
        "|---|" + "---|" * (len(kinds) + 1),
    ]
    for level in levels:
        of_level = [kind for requirement, kind in rows if level_of(requirement) == level]
        cells = [str(of_level.count(kind)) for kind in kinds]
        lines.append(f"| {level} | {len(of_level)} | {' | '.join(cells)} |")
    return lines


def level_of(requirement):
    word = requirement.level.split()[0]
    return {"RECOMMENDED": "SHOULD"}.get(word, word)


def page(requirements, code, tests, reasons):
    rows = [(r, status(r, code, tests, reasons)) for r in requirements]
    met = sum(kind in ("shown", "absent") for _, kind in rows)
    applies = sum(kind != "user" for _, kind in rows)
    core = [kind for r, kind in rows if rfc_of(r) == "9293" and level_of(r) == "MUST"]
    lines = [
        "# Conformance: each requirement, its place in the code, and the test that shows it",
        "",
        "Generated by `tests/lint/rfc.py --write`; a lint fails when it is not up to date. A requirement is found by its id: a tag",
        "in a comment of the code and of the tests. The ids of RFC 9293 are its own (its appendix B); the others are ours, `R`, the RFC",
        "and a number. The list is `tests/conformance/requirements.tsv`, the reasons are in `tests/conformance/exceptions.tsv`.",
        "",
        f"**{met} of {applies} requirements that are a stack's to keep are met and shown ({100 * met / max(applies, 1):.1f} %)**;",
        f"of RFC 9293's {len(core)} MUST and MUST NOT, {sum(k in ('shown', 'absent') for k in core)} are.",
        "",
        *summary(rows),
        "",
        "`suite/case` is a unit test (`build/asan/tests/unit suite/case`; `rfc...` and `attacks`: `build/asan/tests/conformance suite/case`);",
        "`lab-...` is a script's name in ctest.",
    ]
    for rfc in dict.fromkeys(rfc_of(r) for r in requirements):
        lines += ["", f"## RFC {rfc}", "", "| id | level | requirement | code | test |", "|---|---|---|---|---|"]
        for requirement, kind in rows:
            if rfc_of(requirement) == rfc:
                lines.append(row(requirement, kind, code, tests, reasons))
    return "\n".join(lines) + "\n"


def row(requirement, kind, code, tests, reasons):
    text = f"{requirement.text} ({requirement.ref})".replace("|", "\\|")
    shown = test_cell(tests[requirement.id])
    if requirement.id in reasons:
        reason = f"*{VERDICTS[kind]}*: {reasons[requirement.id][1]}"
        shown = f"{shown}<br>{reason}" if shown else reason
    return f"| {requirement.id} | {requirement.level} | {text} | {code_cell(code[requirement.id])} | {shown} |"


def read_all(findings):
    requirements = [Requirement(*cells) for cells in table(LIST, 4, findings)]
    known = {r.id for r in requirements}
    reasons = {}
    for tag, verdict, reason in table(EXCEPTIONS, 3, findings):
        if tag not in known:
            findings.append(f"{EXCEPTIONS}: {tag} is no requirement of {LIST}")
        elif verdict not in VERDICTS or not reason:
            findings.append(f"{EXCEPTIONS}: {tag}: the verdict is one of {', '.join(VERDICTS)}, and has a reason")
        else:
            reasons[tag] = (verdict, reason)
    if len(known) != len(requirements):
        findings.append(f"{LIST}: an id stands there twice")
    code = collect(CODE, (".c", ".h", ".def"), known, findings, tests=False)
    tests = collect(TESTS, (".c", ".sh"), known, findings, tests=True)
    for r in requirements:
        lacks = missing(r, code, tests, reasons)
        if lacks:
            findings.append(f"{LIST}: {r.id} has no {lacks} and no reason: {r.text}")
    return page(requirements, code, tests, reasons)


def main(arguments):
    if not arguments or arguments[0] not in ("--check", "--write"):
        print(__doc__)
        return 2
    here = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    os.chdir(arguments[1] if len(arguments) > 1 else here)
    findings = []
    made = read_all(findings)
    if arguments[0] == "--write":
        with open(PAGE, "w", encoding="utf-8") as file:
            file.write(made)
    elif not os.path.exists(PAGE) or open(PAGE, encoding="utf-8").read() != made:
        findings.append(f"{PAGE}: is not what the tags say: tests/lint/rfc.py --write")
    for finding in findings:
        print(finding)
    if not findings:
        print(f"rfc: {PAGE} says what the tags say")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
