{#- The fields read from a Hub item, for from_json: one parse of the document, and null for what an
    era does not have. Three names for the organization, two for the media, two for the submitter. -#}
{% macro hub_item_structure() -%}
    {
        "title": "VARCHAR",
        "summary": "VARCHAR",
        "thumbnail": "VARCHAR",
        "mediaUrl": "VARCHAR",
        "mediaUrls": ["VARCHAR"],
        "submittedBy": {"name": "VARCHAR"},
        "organization": {"name": "VARCHAR", "fullname": "VARCHAR"},
        "submitterOrganization": {"name": "VARCHAR", "fullname": "VARCHAR"},
        "paper": {
            "title": "VARCHAR",
            "summary": "VARCHAR",
            "ai_summary": "VARCHAR",
            "ai_keywords": ["VARCHAR"],
            "discussionId": "VARCHAR",
            "githubRepo": "VARCHAR",
            "githubStars": "BIGINT",
            "projectPage": "VARCHAR",
            "mediaUrls": ["VARCHAR"],
            "withdrawnAt": "VARCHAR",
            "submittedOnDailyBy": {"user": "VARCHAR"},
            "organization": {"name": "VARCHAR", "fullname": "VARCHAR"},
            "authors": [{"name": "VARCHAR", "hidden": "BOOLEAN", "user": {"user": "VARCHAR"}}]
        }
    }
{%- endmacro %}
