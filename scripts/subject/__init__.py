"""The box around the subject of a query: does it lie on the object, and does it help?"""
