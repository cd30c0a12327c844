"""Blocks that printers used again: does the reuse graph find every reuse, and nothing else?"""
