import re
from dataclasses import replace
from datetime import UTC, date, datetime
from urllib.parse import parse_qsl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flows.mailing.rehearsal import Rehearsal, edition_of, organizations_seen, rehearse
from flows.mailing.rules import (
    RULE_FIELDS,
    Rule,
    RuleError,
    choose,
    liking,
    parse_rule,
    unliking,
)
from flows.newsletter.digest import Digest, DigestPaper, Proof, Section
from tests.support.likeness import NOTHING_ALIKE, SaidLikeness
from tests.support.odd_input import odd_input

DAY = date(2026, 8, 13)
PROOF = Proof(4, 4, datetime(2026, 8, 14, 2, tzinfo=UTC), 30)
PAPERS = (
    DigestPaper(
        "2608.00001", 1, "Multi-Agent Planning with C++", "A study of robots.", 90, 3,
        organization_name="Straße Lab", author_names=("Ada Lovelace",),
        github_url="https://github.com/a/b",
    ),
    DigestPaper("2608.00002", 2, "Diffusion of Images", "We diffuse.", 40, 0,
                organization_name="OpenLab", organization_names=("OpenLab", "olab"),
                author_names=("José García", "Li Wei")),
    DigestPaper("2608.00003", 3, "Reinforcement Learning", "A survey.", 20, 1,
                ai_summary="Robots learn by diffusion.", github_url="https://github.com/c/d"),
    DigestPaper("2608.00004", 4, "Robotics at Scale", "Large.", 5, 0, ai_keywords=("tide pool",)),
)  # fmt: skip
DIGEST = Digest(DAY, "daily", PAPERS, PROOF)


@pytest.mark.parametrize(
    ("fields", "ranks"),
    [
        ({}, [1, 2, 3, 4]),
        ({"include": "multi agent"}, [1]),
        ({"include": "MULTI-AGENT, c++"}, [1]),
        ({"include": "robot"}, [1, 3]),  # robots too, and not robotics
        ({"include": '"robot"'}, []),  # as written
        ({"include": "robo*"}, [1, 3, 4]),
        ({"include": "robots AND diffusion"}, [3]),
        ({"include": "robots -diffusion"}, [1]),
        ({"include": '"images"; "survey, or not"'}, [2]),
        ({"include": "tide pools"}, [4]),  # an AI keyword
        ({"organizations": "olab"}, [2]),  # another name of it
        ({"organizations": '"OpenLab"'}, [2]),
        ({"include": "robots"}, [1, 3]),
        ({"include": "robots", "exclude": "diffusion"}, [1]),
        ({"exclude": "diffusion"}, [1, 4]),
        ({"authors": "garcía"}, [2]),
        ({"authors": "JOSÉ GARCI\u0301A"}, [2]),  # the accent as a character of its own
        ({"organizations": "STRASSE LAB"}, [1]),
        ({"include": "robotics", "authors": "li wei"}, [2, 4]),  # any of them
        ({"upvotes_min": "20"}, [1, 2, 3]),
        ({"has_code": "yes"}, [1, 3]),
        ({"has_code": "on", "upvotes_min": "50"}, [1]),
        ({"papers_max": "2"}, [1, 2]),
        ({"include": "survey; scale", "papers_max": "1"}, [3]),
    ],
)
def test_a_rule_chooses(fields: dict[str, str], ranks: list[int]) -> None:
    chosen = choose(DIGEST, parse_rule(fields), NOTHING_ALIKE)
    assert [paper.rank for paper in chosen.papers] == ranks
    found = {paper.paper_id: replace(paper, chosen_by=None) for paper in chosen.papers}
    assert all(paper == found.get(paper.paper_id, paper) for paper in PAPERS)
    assert replace(chosen, papers=PAPERS, choice=None) == DIGEST


@pytest.mark.parametrize(
    ("fields", "words", "why"),
    [
        ({}, None, [None] * 4),
        (
            {"include": "robots, learning", "upvotes_min": "5"},
            "by your topics: robots, learning; from 5 votes",
            ["your topic: robots", "your topics: robots, learning"],
        ),
        (
            {"authors": "li wei", "organizations": "straße lab", "exclude": "survey"},
            "by your authors: li wei; organizations: straße lab; without: survey",
            ["your organization: straße lab", "your author: li wei"],
        ),
        (
            {"upvotes_min": "1", "has_code": "yes", "papers_max": "2"},
            "by your choice: from 1 vote; with code; at most 2",
            [None, None],
        ),
        (
            {"include": "a1,a2,a3,a4,a5,robots"},
            "by your topics: a1, a2, a3, a4, a5 and 1 more",
            ["your topic: robots", "your topic: robots"],
        ),
    ],
)
def test_what_is_chosen_says_by_what(
    fields: dict[str, str], words: str | None, why: list[str | None]
) -> None:
    rule = parse_rule(fields)
    chosen = choose(DIGEST, rule, NOTHING_ALIKE)
    assert (chosen.choice.words if chosen.choice else None) == words
    assert [paper.chosen_by for paper in chosen.papers] == why
    if chosen.choice:
        assert chosen.choice.paper_count == 4
        again = parse_rule(dict(parse_qsl(chosen.choice.query)))
        assert choose(DIGEST, again, NOTHING_ALIKE) == chosen


NEWS = replace(
    DIGEST,
    papers=PAPERS[:2],
    sections=(Section("late_bloomers", PAPERS[2:]), Section("corrections", PAPERS[:1])),
)


@pytest.mark.parametrize(
    ("fields", "papers", "sections"),
    [
        ({}, [1, 2], {"late_bloomers": [3, 4], "corrections": [1]}),
        ({"include": "robots"}, [1], {"late_bloomers": [3], "corrections": [1]}),
        ({"exclude": "robots"}, [2], {"late_bloomers": [4]}),
        # News comes on top of the reader's number.
        ({"papers_max": "3"}, [1, 2], {"late_bloomers": [3, 4], "corrections": [1]}),
        ({"papers_max": "1"}, [1], {"late_bloomers": [3, 4], "corrections": [1]}),
        # Only news: the digest has no papers, which is no mail.
        ({"include": "survey"}, [], {"late_bloomers": [3]}),
    ],
)
def test_a_rule_chooses_news_of_earlier_papers_alike(
    fields: dict[str, str], papers: list[int], sections: dict[str, list[int]]
) -> None:
    chosen = choose(NEWS, parse_rule(fields), NOTHING_ALIKE)
    assert [paper.rank for paper in chosen.papers] == papers
    assert {s.name: [paper.rank for paper in s.papers] for s in chosen.sections} == sections


def test_rules_that_choose_alike_share_a_key() -> None:
    one = parse_rule({"include": "Diffusion, RL", "editions": "daily"})
    other = parse_rule({"include": "rl\n\n diffusion ; Diffusion", "editions": "weekly daily"})
    assert one.key == other.key
    assert one.key != parse_rule({"exclude": "Diffusion, RL"}).key
    assert one.key != parse_rule({"include": "Diffusion, RL", "upvotes_min": "1"}).key


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"editions": "hourly"}, "no edition “hourly”"),
        ({"include": "a\x00b"}, "words to include hold a character that is not text"),
        ({"exclude": "x" * 101}, "words to exclude is longer than 100"),
        ({"authors": ",".join(f"name {n}" for n in range(51))}, "51 authors; 50 is the most"),
        ({"organizations": "x," * 9999}, "organizations are too long"),
        ({"include": "??!"}, "has no letter or digit"),
        ({"include": "agents, robots AND"}, "words to include: “robots AND” has nothing on one"),
        ({"exclude": "-survey"}, "words to exclude: “-survey” says only what to leave out"),
        ({"include": "a*"}, "the star must end a word of two letters or more"),
        ({"include": "mod*ls"}, "the star must end a word of two letters or more"),
        ({"include": '"world model'}, "opens a quote and does not close it"),
        ({"include": "(agent)"}, "“(” is none of them"),
        ({"include": "title:agent"}, "“title:” is none of them"),
        ({"include": "agents OR robots"}, "Leave OR out"),
        ({"include": "agents NOT robots"}, "Write -word in place of NOT word"),
        ({"upvotes_min": "-1"}, "“minimum upvotes” takes a whole number from 0 to 1,000,000"),
        ({"papers_max": "many"}, "“how many papers” takes a whole number"),
        ({"papers_max": "٣"}, "“how many papers” takes a whole number"),
        ({"has_code": "perhaps"}, "“has code” takes yes or no"),
    ],
)
def test_a_rule_that_cannot_be_kept_names_its_field(fields: dict[str, str], said: str) -> None:
    with pytest.raises(RuleError, match=re.escape(said)):
        parse_rule(fields)


@odd_input(2000)
@given(st.dictionaries(st.sampled_from(RULE_FIELDS), st.text(max_size=60)))
def test_any_text_is_a_rule_or_one_clear_sentence(fields: dict[str, str]) -> None:
    said = None
    try:
        rule = parse_rule(fields)
    except RuleError as error:
        said = str(error)
    if said is not None:
        assert said.isprintable()
        assert said.endswith(".")
        return
    assert Rule.from_json(rule.to_json()) == rule
    assert parse_rule(rule.fields()) == rule
    choose(DIGEST, rule, NOTHING_ALIKE)


ALIKE = "like 2507.00001: the sea"
LIKENESS = SaidLikeness(
    {
        ("2608.00001", "2507.00001"): 0.6,
        ("2608.00004", "2507.00001"): 0.9,
        ("2608.00004", "2507.00002"): 0.7,
        ("2608.00002", "2507.00002"): 0.8,
    }
)


@pytest.mark.parametrize(
    ("fields", "chosen"),
    [
        (
            {"like": "2507.00001"},
            [(4, ALIKE), (1, ALIKE)],
        ),
        ({"like": "2507.00001", "papers_max": "1"}, [(4, ALIKE)]),
        ({"like": "2507.00001", "upvotes_min": "50"}, [(1, ALIKE)]),
        (
            {"like": "2507.00001", "include": "robots"},
            [
                (4, ALIKE),
                (1, f"{ALIKE} · your topic: robots"),
                (3, "your topic: robots"),
            ],
        ),
        ({"unlike": "2507.00002"}, [(1, None), (3, None)]),
        ({"include": "images", "unlike": "2507.00002"}, []),
        (
            {"like": "2507.00001", "unlike": "2507.00002"},
            [(4, ALIKE), (1, ALIKE)],
        ),
    ],
)
def test_what_is_like_a_named_paper_comes_first_and_what_is_unlike_stays_out(
    fields: dict[str, str], chosen: list[tuple[int, str | None]]
) -> None:
    found = choose(DIGEST, parse_rule(fields), LIKENESS)
    assert [(paper.rank, paper.chosen_by) for paper in found.papers] == chosen


def test_named_papers_may_be_addresses_and_are_twenty_at_most() -> None:
    written = "https://arxiv.org/abs/2608.00001v2; hf.co/papers/2608.00002 arXiv:2608.00003"
    assert parse_rule({"like": written}).like == ("2608.00001", "2608.00002", "2608.00003")
    many = [f"2608.{number:05}" for number in range(21)]
    with pytest.raises(RuleError, match="too many papers to like; 20 is the most"):
        parse_rule({"like": ", ".join(many)})
    with pytest.raises(RuleError, match="“long” is not an arXiv id"):
        parse_rule({"unlike": "long context"})
    with pytest.raises(RuleError, match=r"2608\.00001 cannot be a paper to like and"):
        parse_rule({"like": many[1], "unlike": f"{many[2]}, {many[1]}"})
    assert parse_rule({"like": many[1]}).words == f"by likeness to {many[1]}"
    assert parse_rule({"include": "agent", "like": many[1]}).words == (
        f"by your topics: agent; likeness to {many[1]}"
    )
    rule = Rule()
    for paper_id in many:
        rule = liking(rule, paper_id)
    assert rule.like == tuple(many[1:]), "the oldest makes room"
    rule = unliking(rule, many[5])
    assert (many[5] in rule.like, rule.unlike) == (False, (many[5],))
    assert liking(rule, many[5]).unlike == ()
    assert Rule.from_json(rule.to_json()) == rule
    assert parse_rule(rule.fields()) == rule
    assert rule.key != Rule().key


def test_a_rehearsal_names_papers_of_which_nothing_is_kept() -> None:
    rule = parse_rule({"like": "2507.00001, 1901.00001"})
    assert rehearse(rule, [DIGEST], LIKENESS).unmet == (
        "The paper 1901.00001 was on no list that was read: nothing is like it.",
    )


def test_a_rehearsal_says_what_would_have_come() -> None:
    days = [replace(DIGEST, issue_date=date(2026, 8, day)) for day in (12, 11, 13, 10)]
    days[0] = replace(days[0], papers=PAPERS[3:])
    heard = rehearse(parse_rule({"include": "robots"}), days, NOTHING_ALIKE)
    assert heard.sentence == "1.5 papers a day; nothing on 1 of 4 days"
    assert heard.latest is not None
    assert (heard.latest.issue_date.day, len(heard.latest.papers)) == (13, 2)
    assert edition_of(parse_rule({})) == "daily"
    assert edition_of(parse_rule({"editions": "monthly, weekly"})) == "weekly"


def test_a_rehearsal_names_what_no_paper_has_and_what_is_seen_like_it() -> None:
    rule = parse_rule({"organizations": "OpenLabs, olab", "authors": "Li Wie, Ada Lovelace"})
    assert rehearse(rule, [DIGEST], NOTHING_ALIKE).unmet == (
        "No paper of these days has the organization “OpenLabs”. Seen: OpenLab, olab.",
        "No paper of these days has the author “Li Wie”. Seen: Li Wei.",
    )
    assert organizations_seen([DIGEST, replace(DIGEST, papers=PAPERS[1:])])[0] == "OpenLab"


@pytest.mark.parametrize(
    ("heard", "said"),
    [
        (Rehearsal(22, 4, 68, None), "3.1 papers a day; nothing on 4 of 22 days"),
        (Rehearsal(2, 0, 2, None), "1 paper a day; something on each of 2 days"),
        (Rehearsal(1, 1, 0, None), "0 papers a day; nothing on 1 of 1 day"),
        (
            Rehearsal(3, 1, 6, None, edition="weekly"),
            "2 papers a week; nothing in 1 of 3 weeks",
        ),
        (Rehearsal(0, 0, 0, None), "There is no past issue to rehearse on yet"),
    ],
)
def test_a_rehearsal_is_one_sentence(heard: Rehearsal, said: str) -> None:
    assert heard.sentence == said
