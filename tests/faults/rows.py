"""The rows of the reliability plan: each fault, its pass bar, and the tests that are its proof."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """One fault. ``short`` says where the proof is weaker than the plan asked for."""

    number: str
    fault: str
    bar: str
    proofs: tuple[str, ...]
    short: str = ""


LEDGER, FAULTS = "tests/ledger", "tests/faults"
WRITES, NEW = f"{LEDGER}/test_write_faults.py", f"{LEDGER}/test_reading_only_what_is_new.py"
LINES, FILES = f"{LEDGER}/test_hostile_lines.py", f"{LEDGER}/test_hostile_files.py"
ACROSS, ANY = f"{LEDGER}/test_requests_across_files.py", f"{LEDGER}/test_any_history.py"
FAIL, PRICES = "tests/pricing/test_feeds_that_fail.py", "tests/pricing/test_price_ledger.py"
SITE, STORE = "tests/publishing/test_site.py", "tests/hosts/test_faults_of_a_store.py"

ROWS = (
    Row("R1", "append while read", "200 readings: the oracle's totals; no row from a partial line",
        (f"{LEDGER}/test_surroundings.py::test_a_transcript_that_is_written_while_it_is_read_is_counted_whole_in_the_end",
         f"{FILES}::test_what_is_appended_while_a_file_is_read_is_read_the_next_time",
         f"{NEW}::test_a_transcript_that_grows_in_any_pieces_counts_as_if_it_came_at_once",
         f"{NEW}::test_a_rollout_that_grows_in_any_pieces_counts_as_if_it_came_at_once")),
    Row("R2", "truncate, rewrite, rotate, rename, copy, touch", "the ledger is the oracle's of all that was ever seen",
        (f"{ANY}::test_no_history_of_files_loses_or_doubles_a_request",
         f"{ANY}::test_no_long_history_of_files_loses_or_doubles_a_request")),
    Row("R3", "thirty-day purge", "deleting every source lowers no total",
        (f"{NEW}::test_a_deleted_transcript_never_lowers_a_total",
         f"{NEW}::test_the_evidence_outlives_transcripts_and_ledger")),
    Row("R4", "bad bytes", "every good line kept, every bad one counted by reason",
        (f"{LINES}::test_a_hostile_line_costs_itself_and_no_other",
         f"{FILES}::test_every_hostile_line_is_counted_and_every_good_one_kept")),
    Row("R5", "mutation fuzz", "100,000 mutants: no exception, little memory",
        (f"{LINES}::test_a_hundred_thousand_mutated_lines_cost_no_good_one_and_little_memory",)),
    Row("R6", "long lines", "100 MB, and 1 GB of a hole: later lines kept, at most 128 MiB more memory",
        (f"{LINES}::test_lines_of_a_hundred_megabytes_or_a_gigabyte_cost_little_memory_and_pipes_hold_nothing_up",
         f"{FILES}::test_a_line_over_the_limit_is_counted_and_the_lines_behind_it_are_kept")),
    Row("R7", "absurd values and times", "quarantined by reason, never in a total",
        (f"{LINES}::test_a_hostile_line_costs_itself_and_no_other",
         f"{NEW}::test_a_line_from_the_future_is_believed_once_its_file_is_as_old",
         f"{FILES}::test_a_file_may_have_any_modification_time",
         "tests/quality/test_invariants.py::test_one_line_in_two_hundred_may_be_left_out_and_no_more"),
        "a skewed clock is played by file times, not by libfaketime"),
    Row("R8", "duplicates", "totals change by 0",
        (f"{ACROSS}::test_a_resumed_session_that_copies_its_history_counts_it_once",
         f"{ACROSS}::test_a_fork_that_rewrites_message_ids_counts_nothing_twice",
         f"{ACROSS}::test_a_copy_that_lost_its_request_id_is_still_a_copy",
         f"{ACROSS}::test_a_copy_that_lost_its_message_id_is_still_a_copy")),
    Row("R9", "order, threads, hash seed, time zone, language", "the same bytes",
        (f"{LEDGER}/test_surroundings.py::test_threads_time_zone_language_and_hash_seed_make_no_difference",
         "tests/publishing/test_same_bytes.py::test_every_published_byte_is_the_same_in_other_surroundings",
         f"{NEW}::test_the_order_in_which_files_come_makes_no_difference")),
    Row("R10", "file system", "each a counted skip; a pipe holds nothing up; 10,000 folders end",
        ("tests/transcripts/test_discovery.py::test_pipes_sockets_and_links_are_counted_and_never_opened",
         "tests/transcripts/test_discovery.py::test_a_loop_of_folders_ends",
         "tests/transcripts/test_discovery.py::test_names_may_hold_anything_that_a_file_system_allows",
         f"{FILES}::test_a_file_that_cannot_be_read_is_passed_over_and_read_the_next_time",
         f"{FILES}::test_a_file_that_vanishes_between_finding_and_opening_is_passed_over",
         f"{FAULTS}/test_r10_many_folders.py::test_ten_thousand_folders_and_a_pipe_hold_nothing_up")),
    Row("R11", "kill -9", "200 moments and every write: the next run makes the clean run's bytes",
        (f"{WRITES}::test_a_process_killed_at_any_moment_leaves_a_home_that_the_next_run_completes",
         f"{WRITES}::test_a_process_killed_at_any_write_leaves_a_home_that_the_next_run_completes")),
    Row("R12", "the Nth write fails", "old or new state, an error that names the path; a full disk, really",
        (f"{WRITES}::test_a_run_that_fails_at_any_write_is_finished_by_the_next",
         f"{WRITES}::test_a_store_that_cannot_be_written_ends_the_run_and_is_no_bad_source",
         f"{FAULTS}/test_r12_full_disk.py::test_a_disk_that_is_really_full_costs_a_run_and_nothing_else")),
    Row("R13", "several runs at once", "nothing doubled or corrupt; who waits too long is told who holds it",
        (f"{FAULTS}/test_r13_several_at_once.py::test_many_processes_on_one_home_leave_what_one_leaves",
         "tests/assets/test_server.py::test_two_processes_at_once_on_one_home_leave_what_one_leaves",
         "tests/test_home.py::test_a_second_writer_is_told_who_holds_the_home"),
        "50 rounds by `make reliability ARGS=--full`, 4 otherwise"),
    Row("R14", "reruns and backfills", "the same published bytes in any order",
        ("tests/assets/test_backfills.py::test_in_any_order_every_published_byte_is_the_same",
         "tests/assets/test_a_year_of_weeks.py::test_in_random_order_beside_the_schedule_every_byte_is_that_of_weeks_in_order",
         "tests/assets/test_publishing_a_week.py::test_publishing_the_same_week_again_changes_no_byte",
         f"{NEW}::test_the_ledger_may_be_lost_and_is_counted_again_from_the_evidence")),
    Row("R15", "publishing that fails", "a reader never sees a torn week; the old one stays",
        (f"{SITE}::test_whichever_call_fails_the_old_page_is_whole",
         f"{SITE}::test_a_reader_never_finds_the_week_missing_or_mixed",
         "tests/hosts/test_shipping.py::test_a_shipment_killed_at_any_moment_leaves_whole_objects_and_the_next_one_completes_it",
         f"{STORE}::test_a_fault_in_the_middle_is_overcome"),
        "of a folder and of shipping to S3; publishing a site to S3 has its tests beside it"),
    Row("R16", "price sources", "the last good snapshot holds, with its age; jumps and zeros are held back",
        (f"{FAIL}::test_a_failed_feed_is_told_in_time_and_the_last_good_snapshot_holds",
         f"{FAIL}::test_an_unbelievable_price_is_held_and_the_last_one_stays_in_force",
         f"{FAIL}::test_an_answer_that_lost_most_models_is_held_to_be_cut",
         f"{PRICES}::test_a_jump_waits_for_a_second_source",
         "tests/assets/test_prices_of_a_week.py::test_prices_that_are_too_old_leave_the_page_and_take_the_ranking")),
    Row("R17", "schema drift", "an unknown type or field is named on the run that first sees it",
        ("tests/transcripts/test_drift.py::test_a_type_that_nobody_knows_is_counted_line_by_line",
         "tests/transcripts/test_drift.py::test_a_new_field_of_usage_is_named_with_its_place",
         "tests/transcripts/test_drift.py::test_a_rollouts_new_records_events_and_fields_are_noticed",
         "tests/quality/test_invariants.py::test_one_new_field_of_usage_is_a_warning_that_names_it",
         "tests/quality/test_invariants.py::test_lines_of_new_types_are_a_warning_beyond_three_in_a_hundred",
         "tests/transcripts/test_drift.py::test_a_reply_without_usage_is_counted_under_its_clients_version",
         "tests/quality/test_invariants.py::test_replies_without_usage_are_a_warning_beyond_three_in_a_hundred_of_a_version"),
        "replies without usage are told by client version, not from week to week"),
    Row("R18", "silent emptiness", "no page of an empty window, a shrunken ledger or a week that lost 60 %",
        ("tests/assets/test_refusals.py::test_an_empty_window_is_refused_and_its_week_never_appears",
         "tests/quality/test_invariants.py::test_a_week_with_fewer_requests_than_were_published_is_refused",
         "tests/quality/test_invariants.py::test_a_host_that_lost_requests_refuses_any_week",
         "tests/quality/test_arrivals.py::test_a_week_that_falls_by_more_than_sixty_percent_refuses_and_says_how_far",
        "tests/quality/test_arrivals.py::test_one_week_of_rest_does_not_make_the_next_look_full",
        "tests/quality/test_arrivals.py::test_silence_without_a_transcript_is_a_lost_folder_and_refuses",
        "tests/quality/test_arrivals.py::test_an_agent_that_worked_most_days_and_stopped_is_named",
        "tests/quality/test_arrivals.py::test_hosts_and_entries_that_may_not_be_read_are_a_warning_by_name_and_number",
        "tests/hosts/test_ages.py::test_a_listed_host_that_went_quiet_is_a_warning_and_one_that_was_taken_out_is_none")),
    Row("R19", "boundaries of time", "thirty whole UTC days, whenever it runs",
        ("tests/test_weeks.py::test_a_week_is_seven_days_and_its_window_the_thirty_before_its_close",
         f"{ACROSS}::test_times_with_another_zone_belong_to_their_utc_day",
         f"{FAULTS}/test_r19_late.py::test_a_run_that_is_late_or_local_is_for_the_same_week")),
    Row("R20", "upgrade", "every released store opens or is refused with a message",
        (f"{FAULTS}/test_r20_upgrades.py::test_a_store_of_each_release_opens_without_its_transcripts",
         f"{FAULTS}/test_r20_upgrades.py::test_a_store_from_before_there_were_formats_is_taken_over_and_marked",
         f"{FAULTS}/test_r20_upgrades.py::test_a_store_of_a_format_that_is_not_known_is_refused_to_writers_and_readers",
         f"{FAULTS}/test_r20_upgrades.py::test_a_damaged_marker_is_refused_by_name")),
    Row("R21", "soak", "52 weeks of random faults end with the oracle's totals",
        (f"{FAULTS}/test_r21_soak.py::test_after_a_year_of_faults_every_total_is_the_oracles",)),
    Row("Leaks", "text of transcripts", "no canary in anything that is written or said",
        (f"{LEDGER}/test_privacy.py::test_no_text_of_any_transcript_is_found_in_the_home_or_in_what_was_said",
         f"{LEDGER}/test_privacy.py::test_no_error_repeats_what_a_transcript_says",
         "tests/assets/test_privacy.py::test_nothing_that_a_refresh_writes_or_says_holds_text")),
)  # fmt: skip
