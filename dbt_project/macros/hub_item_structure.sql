{#- The fields read from a Hub item, for from_json: one parse of the document, and null for what an
    era does not have. Three names for the organization, two for the media, two for the submitter. -#}
{% macro hub_item_structure() -%}
    {
        "title": "VARCHAR",
        "summary": "VARCHAR",
        "thumbnail": "VARCHAR",
        "mediaUrl": "VARCHAR",
        "mediaUrls": ["VARCHAR"],
        "isAuthorParticipating": "BOOLEAN",
        "submittedBy": {"name": "VARCHAR", "followerCount": "BIGINT"},
        "organization": {"_id": "VARCHAR", "name": "VARCHAR", "fullname": "VARCHAR"},
        "submitterOrganization": {"_id": "VARCHAR", "name": "VARCHAR", "fullname": "VARCHAR"},
        "paper": {
            "title": "VARCHAR",
            "summary": "VARCHAR",
            "ai_summary": "VARCHAR",
            "ai_keywords": ["VARCHAR"],
            "discussionId": "VARCHAR",
            "githubRepo": "VARCHAR",
            "githubStars": "BIGINT",
            "githubRepoAddedBy": "VARCHAR",
            "projectPage": "VARCHAR",
            "mediaUrls": ["VARCHAR"],
            "withdrawnAt": "VARCHAR",
            "submittedOnDailyBy": {"user": "VARCHAR"},
            "organization": {"_id": "VARCHAR", "name": "VARCHAR", "fullname": "VARCHAR"},
            "authors": [{"name": "VARCHAR", "hidden": "BOOLEAN", "user": {"user": "VARCHAR"}}]
        }
    }
{%- endmacro %}
