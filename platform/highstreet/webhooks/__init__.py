"""Events told to others' programmes, as Standard Webhooks (standardwebhooks.com).

A verb writes down what happened in its own transaction, where somebody wants to hear of it
(`outbox`); a job makes a delivery for each subscription (`spreading`); another carries them
(`delivering`). What is sent holds ids, never names.
"""

from highstreet.host import policy
from highstreet.webhooks.switching import switched

policy.listen(switched)
