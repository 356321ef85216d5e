"""Why a check, a job or a publish failed, by rules, and the repairs that a rule is certain of."""
