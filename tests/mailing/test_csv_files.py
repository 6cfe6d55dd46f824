"""Lists of other mailers and spreadsheets are read as they come, or one sentence says why not."""

import pytest

from flows.mailing.csv_files import decoded
from flows.mailing.csv_lines import Import, import_csv
from flows.mailing.database import Mailing
from flows.mailing.subscribers import everyone
from tests.mailing.conftest import NOW


def _import(mailing: Mailing, text: str) -> Import:
    return import_csv(mailing, text.splitlines(keepends=True), now=NOW)


def _active(mailing: Mailing) -> set[str]:
    return {str(each.address) for each in everyone(mailing) if each.state == "active"}


@pytest.mark.parametrize(
    ("text", "note"),
    [
        ("email,name,status\nada@example.org,Ada,enabled\nbo@example.org,Bo,enabled\n", "name"),
        (
            'Email Address,First Name,RATING\n"ada@example.org","Ada, L.",2\nbo@example.org,,3',
            "first name, rating",
        ),
        (
            "email,plan,email_disabled,created_at\nada@example.org,x,false,1\nbo@example.org,y,,2",
            "plan, created_at",
        ),
        ("E-Mail;Vorname\r\nada@example.org;Ada\r\nbo@example.org;Bo\r\n", "vorname"),
        ("EMAIL\tname\nada@example.org\tAda\nbo@example.org\tBo\n", "name"),
        ("\ufeffemail\nada@example.org\nbo@example.org\n", ""),
        ("e-mail\n\nada@example.org\nbo@example.org\n", ""),
    ],
    ids=["listmonk", "mailchimp", "substack", "excel", "tabs", "bom", "one column"],
)
def test_a_list_of_another_mailer_is_imported_whole(mailing: Mailing, text: str, note: str) -> None:
    result = _import(mailing, text)
    assert result.sentence == "2 added, 0 left out."
    assert _active(mailing) == {"ada@example.org", "bo@example.org"}
    left_out = f"Columns left out, since nothing here needs them: {note}."
    assert result.notes == ((left_out,) if note else ())


@pytest.mark.parametrize(
    "text",
    [
        "email,status\nada@example.org,enabled\nbo@example.org,blocklisted\n",
        "Email Address,Status\nada@example.org,subscribed\nbo@example.org,Unsubscribed\n",
        "email,email_disabled\nada@example.org,false\nbo@example.org,true\n",
        "email,unsubscribed_at\nada@example.org,\nbo@example.org,2026-01-01\n",
        "address,state\nada@example.org,active\nbo@example.org,unsubscribed\n",
    ],
)
def test_who_left_there_is_not_written_to_here(mailing: Mailing, text: str) -> None:
    assert _import(mailing, text).sentence == "1 added, 1 left out."
    assert _active(mailing) == {"ada@example.org"}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
def test_the_encoding_is_found(encoding: str) -> None:
    text = "email;name\nada@example.org;Ädä\n"
    assert decoded(text.encode(encoding)) == text
    assert decoded("name\nJosé\n".encode("cp1252")) == "name\nJosé\n"


def test_what_cannot_be_meant_is_one_sentence_and_nothing_is_imported(mailing: Mailing) -> None:
    (line,) = _import(mailing, "name,phone\nAda,1\n").bad_lines
    assert line.sentence.startswith("The first line names no column of addresses")
    (line,) = _import(mailing, "address,includes\nada@example.org,agents\n").bad_lines
    assert line.sentence == "There is no column “includes”; did you mean include?"
    assert _active(mailing) == set()
