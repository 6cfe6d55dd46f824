{#- Every rule that the .yml files of these models state, in one query: a row a row that breaks one,
    with the rule. A node of dbt's own for each rule costs a day more than the rule itself.
    `beside`: what they refer to in other folders. -#}
{% macro rules_of(models, beside=[]) -%}
    {%- for model in models + beside -%} {%- do ref(model) -%} {%- endfor -%}
    {%- set tests = graph.nodes.values() | selectattr("resource_type", "equalto", "test") if execute else [] -%}
    {%- set asked = [] -%}
    {%- for test in tests if test.attached_node and "all_history" not in test.tags -%}
        {%- set model, name = test.attached_node.split(".")[-1], test.test_metadata.name -%}
        {%- if model in models -%}
            {%- set given = dict(test.test_metadata.kwargs) -%}
            {%- set where = test.config.where -%}
            {%- do given.update(model=ref(model) if not where else "(select * from " ~ ref(model) ~ " where " ~ where ~ ")") -%}
            {%- if given.to -%} {%- do given.update(to=ref(given.to.split("'")[1])) -%} {%- endif -%}
            {%- do asked.append((name, model, given.column_name or given.columns | join(", "), context["test_" ~ name](**given))) -%}
        {%- endif -%}
    {%- endfor -%}
    {%- for name, model, columns, broken in asked %}
    select '{{ name }} of {{ model }}: {{ columns | replace("'", "''") }}' as rule, broken::text as found
    from ({{ broken }}) as broken
    {{ "union all" if not loop.last }}
    {%- else %}
    select null as rule, null as found where false
    {%- endfor %}
{%- endmacro %}
