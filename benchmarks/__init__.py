"""Every claim about speed, beside its floor, measured in the same run (`make bench`)."""
