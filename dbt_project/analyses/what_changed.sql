-- What changed in papers between two readings, the newest changes first?
select
    changes.read_at,
    papers.title,
    changes.field,
    changes.old_value,
    changes.new_value
from marts.paper_changes as changes
inner join marts.papers as papers on changes.paper_id = papers.paper_id
order by changes.read_at desc, changes.paper_id, changes.field
limit 50
