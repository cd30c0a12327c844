"""A scanned book: are the pages of a PDF found by photographs of single pictures?"""
