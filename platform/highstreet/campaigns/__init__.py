"""Head office's campaigns over the whole brand: what a tool does in stores, from day to day.

drafting: what head office writes and approves. standing: which stores take part, on what terms; the
dry run and the launch both ask it. launching: going through the stores, a chunk a job. answering:
what a store says. running: what runs in a store, for tools, kept in memory. queries: for pages.
"""
