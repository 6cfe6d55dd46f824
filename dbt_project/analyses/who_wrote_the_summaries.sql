-- Which model wrote the Hub's AI summaries, by the month of the list, as each list was last read?
select
    date_trunc('month', listings.list_date)::date as month_start_on,
    json_extract_string(documents.document_json, '$.paper.ai_summary_model') as ai_summary_model,
    count(*) as paper_count
from marts.listings as listings
inner join marts.paper_readings as readings
    on
        listings.list_date = readings.list_date
        and listings.paper_id = readings.paper_id
        and listings.last_read_at = readings.read_at
inner join marts.paper_documents as documents
    on
        readings.list_date = documents.list_date
        and readings.paper_id = documents.paper_id
        and readings.document_id = documents.document_id
where json_exists(documents.document_json, '$.paper.ai_summary')
group by month_start_on, ai_summary_model
order by month_start_on desc, paper_count desc
