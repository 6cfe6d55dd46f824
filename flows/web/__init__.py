"""The reader pages: subscribe, confirm, choose, pause, leave, and the archive with its feeds.

GET and HEAD change nothing, there is no JavaScript, and nothing is loaded from elsewhere. A link in
a mail carries a signed token and no address; whoever holds it may do what it is signed for.
"""
