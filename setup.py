"""Finds the packages under the four source roots; everything else is in setup.cfg."""

from setuptools import find_packages, setup

ROOTS = ("platform", "tenants", "plugins", "migrations")
found = {root: find_packages(root) for root in ROOTS}

setup(
    packages=[name for names in found.values() for name in names],
    package_dir={n: f"{root}/{n}" for root, names in found.items() for n in names if "." not in n},
)
