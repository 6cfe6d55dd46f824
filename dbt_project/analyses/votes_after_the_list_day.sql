-- Which papers won most votes after their list day, by the readings that came later?
select
    papers.first_listed_on,
    papers.title,
    momentum.upvotes_count,
    momentum.votes_gained_after_list_day_count,
    round(100 * momentum.votes_gained_after_list_day_share, 1) as after_list_day_pct
from marts.paper_momentum as momentum
inner join marts.papers as papers on momentum.paper_id = papers.paper_id
qualify row_number() over (partition by momentum.paper_id order by momentum.read_at desc) = 1
order by momentum.votes_gained_after_list_day_count desc nulls last, papers.paper_id
limit 20
