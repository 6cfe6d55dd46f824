"""What a mailing list owes its readers and their mail providers, and the test that holds each rule.

The sources: RFC 5321, 5322, 2369, 2919, 3464, 5965, 8058; the sender rules of the large providers;
and what went wrong on other lists. A rule whose test is renamed or deleted fails here.
"""

# a test is named by its sentence

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent

RULES = {
    "one click leaves, by POST alone, without cookies, twice (RFC 8058)": [
        "web/test_readers.py::test_one_click_leaves_without_cookies_from_anywhere_and_twice",
        "newsletter/test_lint.py::test_each_fault_of_the_message_is_found",
    ],
    "the relay's DKIM signature covers both List-Unsubscribe headers": [
        "newsletter/test_lint.py::test_a_mail_that_arrived_has_its_ways_out_signed",
    ],
    "opening a link changes nothing: mail scanners open every link": [
        "web/test_guard.py::test_get_and_head_of_every_link_change_nothing",
    ],
    "a mail to the mailto link leaves, too (RFC 2369)": [
        "mailing/test_bounces.py::test_a_mail_to_the_mailto_link_of_an_issue_leaves_and_a_made_up_one_does_not",
    ],
    "List-Id is the same for all issues; Auto-Submitted stops out-of-office replies": [
        "mailing/test_letters.py::test_a_letter_keeps_what_a_list_owes_its_readers",
        "newsletter/test_message.py::test_a_mail_has_each_header_a_list_owes_once",
    ],
    "Message-ID is the same for a message each time, on our own domain": [
        "mailing/test_letters.py::test_rendering_an_issue_again_gives_the_same_bytes",
        "mailing/test_letters.py::test_a_letter_keeps_what_a_list_owes_its_readers",
    ],
    "multipart/alternative, text first, the same papers in both": [
        "newsletter/test_message.py::test_a_mail_has_the_text_first_and_both_parts_unchanged",
        "newsletter/test_lint.py::test_each_fault_of_the_html_is_found",
        "flows/test_backfill.py::test_every_recorded_item_is_accounted_for",
    ],
    "no header holds a newline": [
        "newsletter/test_message.py::test_a_newline_in_a_header_is_refused",
        "newsletter/test_message.py::test_any_title_gives_a_subject_that_travels",
    ],
    "foreign text is escaped once and survives, in any script": [
        "newsletter/test_render.py::test_foreign_markup_stays_text",
        "newsletter/test_render.py::test_whatever_the_hub_says_the_page_is_ours",
        "newsletter/test_message.py::test_names_that_are_not_ascii_survive",
        "web/test_publications.py::test_an_odd_title_is_the_same_in_both_feeds",
    ],
    "a broken or hostile link is dropped and its paper kept": [
        "newsletter/test_render.py::test_a_bad_link_is_dropped_and_the_paper_kept",
    ],
    "HTML under 100,000 bytes, with a link to the rest": [
        "newsletter/test_render.py::test_a_day_of_any_size_stays_below_the_limit_and_links_to_the_rest",
    ],
    "preheader, lang, roles, alt, headings, underlines, dark styles, contrast": [
        "newsletter/test_lint.py::test_each_fault_of_the_html_is_found",
        "newsletter/test_lint.py::test_every_text_colour_of_the_palette_reads_on_every_ground",
    ],
    "an issue can be seen in the browser and in the archive": [
        "web/test_publications.py::test_an_issue_is_shown_as_it_was_sent",
        "web/test_publications.py::test_the_archive_lists_a_year_at_a_time_the_newest_first",
    ],
    "SPF, DKIM and DMARC are looked at, and no network is no failure": [
        "mailing/test_dns_records.py::test_what_is_missing_is_a_warning",
        "mailing/test_dns_records.py::test_no_network_is_one_note",
    ],
    "who has not confirmed gets nothing": [
        "mailing/test_sending.py::test_only_who_is_subscribed_now_gets_it",
        "web/test_readers.py::test_a_reader_is_on_the_list_only_after_pressing_the_button_that_the_mail_leads_to",
    ],
    "a bad address or a complaint suppresses at once, soft failures after three issues": [
        "mailing/test_sending.py::test_a_bad_address_is_suppressed_at_once_and_a_soft_refusal_after_three_issues",
        "mailing/test_bounces.py::test_returns_are_matched_counted_and_acted_on_once",
    ],
    "suppression is looked at when each message goes, and no import lifts it": [
        "mailing/test_sending.py::test_who_leaves_while_the_issue_goes_out_does_not_get_it",
        "mailing/test_csv_lines.py::test_who_left_or_is_suppressed_or_not_active_is_left_out_with_the_reason",
    ],
    "4xx is tried again after growing pauses, 5xx is not": [
        "mailing/test_sending.py::test_a_refusal_for_now_is_tried_again_after_growing_pauses",
        "mailing/test_transports.py::test_each_answer_has_its_outcome",
    ],
    "a rate limit, and an error budget that pauses the issue": [
        "mailing/test_sending.py::test_no_second_has_more_messages_than_allowed",
        "mailing/test_sending.py::test_too_many_errors_pause_the_issue_until_the_operator_goes_on",
    ],
    "one recipient an envelope, one in To": [
        "mailing/test_transports.py::test_a_message_arrives_as_it_is",
        "newsletter/test_lint.py::test_each_fault_of_the_message_is_found",
    ],
    "no papers, or none that anybody chose: no connection, no error, and the reason": [
        "flows/test_mail.py::test_a_day_without_an_issue_opens_no_connection",
        "mailing/test_sending.py::test_where_nothing_matches_anybody_no_connection_opens_and_nothing_is_wrong",
    ],
    "a run that mails nothing says why": [
        "flows/test_mail.py::test_mail_that_cannot_leave_is_held_and_said",
        "flows/test_mail.py::test_an_issue_past_its_age_is_made_and_not_mailed",
    ],
    "twice, at once, or killed and resumed: nobody gets two": [
        "flows/test_mail.py::test_every_reader_gets_the_issue_once_and_by_choice",
        "flows/test_kill.py::test_four_runs_at_once_send_each_reader_one_mail",
        "flows/test_kill.py::test_runs_killed_at_any_of_twenty_points_and_run_again_end_as_undisturbed",
        "mailing/test_once.py::test_four_runs_at_once_send_each_message_once",
        "mailing/test_once.py::test_thirty_kills_leave_nobody_with_two_and_one_doubt_a_connection",
    ],
    "after an outage at most one issue goes out, the current one": [
        "flows/test_deliver.py::test_after_five_days_of_outage_the_current_issue_goes_out_and_no_other",
    ],
    "a password is never sent in clear, and never said": [
        "mailing/test_transports.py::test_a_relay_without_encryption_gets_no_mail_and_no_password",
        "mailing/test_transports.py::test_a_certificate_of_nobody_gets_no_password",
        "mailing/test_transports.py::test_the_password_goes_over_tls_only_and_is_never_said",
    ],
    "one address in two spellings is one reader": [
        "mailing/test_addresses.py::test_spellings_of_one_address_are_one",
        "mailing/test_subscribers.py::test_an_address_in_two_spellings_is_on_the_list_once",
    ],
}


@pytest.mark.parametrize("rule", RULES)
def test_each_rule_has_its_tests(rule: str) -> None:
    for place in RULES[rule]:
        file, _, name = place.partition("::")
        tree = ast.parse((ROOT / file).read_text())
        names = {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
        assert name in names, f"{place} is gone: {rule}"
