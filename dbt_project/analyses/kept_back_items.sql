-- Which items did the gates keep back, and why?
select
    list_date,
    read_at,
    position,
    paper_id,
    reason
from quality.quarantined_items
order by read_at desc, position
