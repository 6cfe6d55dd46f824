"""Where readings come from: the Hub, recorded responses, and the sample Hub. No Prefect here."""
