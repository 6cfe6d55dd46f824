-- What have the gates found wanting, and on how many readings?
select
    gate,
    severity,
    expectation,
    column_name,
    count(distinct run_id) as reading_count,
    max(list_date) as newest_list_date,
    arg_max(sentence, checked_at) as newest_sentence
from quality.gate_results
where not is_success
group by gate, severity, expectation, column_name
order by severity, reading_count desc, gate, expectation
