"""The run-time type checker of the tests: beartype, to which an int is a float as it is to every static checker."""

from beartype import BeartypeConf, beartype

numbers = beartype(conf=BeartypeConf(is_pep484_tower=True))
