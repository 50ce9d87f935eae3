"""The plugin author's kit: a first tool written out, fixtures for its tests, and the checks that
every tool has to pass (`pytest --highstreet-plugin NAME`).

It ships with the product, for a stranger has nothing else of ours. Nothing here is imported while
Highstreet serves, and pytest by `pytest_plugin` and what that loads alone.
"""
