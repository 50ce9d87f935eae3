"""People: who may sign in, what they may do where, and the keys that tills carry.

All tables here are control plane: they are read before a scope exists, and hold no customer data.
"""
