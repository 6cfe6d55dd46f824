-- Which model wrote the Hub's AI summaries, by the month of the list?
select
    date_trunc('month', list_date) as list_month,
    json_extract_string(document_json, '$.paper.ai_summary_model') as ai_summary_model,
    count(distinct paper_id) as paper_count
from marts.paper_documents
where json_exists(document_json, '$.paper.ai_summary')
group by list_month, ai_summary_model
order by list_month desc, paper_count desc
