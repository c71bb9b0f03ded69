#!/usr/bin/env -S python3 -B
# SPDX-License-Identifier: ISC
"""strictmx lint sts-record, on records as they stand in zones."""
from tool import run, strictmx

ID32 = "0123456789abcdefABCDEF0123456789"

# records: the id
USABLE = [
    (["v=STSv1; id=20190429T010101;"], "20190429T010101"),
    (["v=STSv1;id=1"], "1"),
    (["v=STSv1 ;\tid=1 ; a=b ; "], "1"),
    (["v=STSv1; id=" + ID32], ID32),
    (["v=STSv1; a.b-c_d=x; id=1; id=bad-one"], "1"),
    # forms
    (['"v=STSv1; id=1;"'], "1"),
    (['"v=STSv1; " "id=1;"'], "1"),
    (['"v=STSv1; id=1" "2" "3;"'], "123"),
    (['"v=STSv1\\; id=1\\;"'], "1"),
    (["v=STSv1\\; id=1\\;"], "1"),
    (["\\118=STSv1\\059 id=\\049"], "1"),
    (['( "v=STSv1;"\n  "id=1;" ) ; a comment'], "1"),
    # others at the name do not count
    (["v=STSv1; id=1", "v=STSv10; id=2", "v=spf1 -all", "", "v=STSv1"], "1"),
    (["v=STSv1; id=1", '"x'], "1"),
]

# records: the result, the records that errors name (0: all of them)
UNUSABLE = [
    ([], "none", [0]),
    ([""], "none", [1, 0]),
    (["v=STSv1"], "none", [1, 0]),
    (["v=stsv1; id=1"], "none", [1, 0]),
    ([" v=STSv1; id=1"], "none", [1, 0]),
    (["v=STSv10; id=1"], "none", [1, 0]),
    (["v=STSv1; id=1", "v=STSv1; id=1"], "none", [0]),
    (["v=STSv1; id=1", "v=STSv1; id=-"], "none", [2, 0]),
    (["v=spf1", "v=STSv1; id=1", "v=STSv1; id=2"], "none", [1, 0]),
    (["v=STSv1; id=1", '"v=STSv1; id=2'], "none", [2, 0]),
    (["v=STSv1;"], "invalid", [1]),
    (["v=STSv1; id=2024-01-01"], "invalid", [1]),
    (["v=STSv1; id=" + ID32 + "0"], "invalid", [1]),
    (["v=STSv1; id="], "invalid", [1]),
    (["v=STSv1; ID=1"], "invalid", [1]),
    (["v=STSv1;; id=1"], "invalid", [1]),
    (["v=STSv1; id=1;;"], "invalid", [1]),
    (["v=STSv1; id=1 "], "invalid", [1]),
    (["v=STSv1; id=1, a=b"], "invalid", [1]),
    (["v=STSv1; id=1; a=b c"], "invalid", [1]),
    (['v=STSv1; id="1"'], "invalid", [1]),
    (["v=STSv1; id=1; \\000=b"], "invalid", [1]),
    (["v=STSv1; id=\xfc"], "invalid", [1]),
    # forms that no zone file has, after a good beginning
    (['"v=STSv1; id=1;'], "invalid", [1]),
    (["v=STSv1; id=1;\\"], "invalid", [1]),
    (["v=STSv1; id=1\\256"], "invalid", [1]),
    (["spf", "v=STSv1; id=1\\25"], "invalid", [1, 2]),
    (['"v=STSv1'], "none", [1, 0]),
]


def lint(*records, stdin=b""):
    return strictmx("lint", "sts-record", "--json", "--", *records,
                    stdin=stdin)


def usable_records_give_their_id():
    for records, identity in USABLE:
        result = lint(*records)
        assert result.status == 0, result
        assert result.json == {"usable": True, "id": identity,
                               "result": "valid", "errors": []}, result


def unusable_records_are_told_with_the_reason():
    for records, verdict, errors in UNUSABLE:
        result = lint(*records)
        j = result.json
        assert result.status == 1, result
        named = j.pop("errors")
        assert all(set(e) == {"record", "message"} for e in named), result
        assert [e["record"] for e in named] == errors, result
        assert j == {"usable": False, "id": None, "result": verdict}, result


def text_says_the_same_for_a_person():
    result = strictmx("lint", "sts-record", "v=STSv1; id=7")
    assert result.status == 0 and result.out == "usable: id 7\n", result
    result = strictmx("lint", "sts-record", "v=STSv1; id=-")
    assert result.status == 1, result
    assert result.out == ("record 1: error: id is not 1 to 32 letters or "
                          "digits\nnot usable: invalid\n"), result


def a_dash_reads_records_line_by_line():
    result = lint("-", stdin=b'alias.example.net.\n"v=STSv1\\; id=5\\;"\r\n')
    assert result.status == 0 and result.json["id"] == "5", result
    result = lint("v=STSv1; id=1", "-", stdin=b"\n\nv=STSv1; id=2")
    assert result.json["result"] == "none", result
    result = lint("-")
    assert result.status == 1 and result.json["result"] == "none", result


def hostile_input_is_bounded_and_judged():
    assert lint("-", stdin=b"v=STSv1; id=1\0").json["result"] == "invalid"
    result = lint("-", stdin=b"v=STSv1; id=1\n" * 80000)
    assert result.status == 1, result
    assert "64 KiB" in result.json["errors"][0]["message"], result
    result = lint("-", stdin=bytes(range(256)) * 200)
    assert result.status == 1 and result.json["result"] == "none"


run([
    usable_records_give_their_id,
    unusable_records_are_told_with_the_reason,
    text_says_the_same_for_a_person,
    a_dash_reads_records_line_by_line,
    hostile_input_is_bounded_and_judged,
])
