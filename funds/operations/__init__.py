"""The only writers of money. One business verb, one function; each opens one transaction and takes `by` and `at`."""
