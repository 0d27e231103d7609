"""The only writers of claims. One business verb, one function; each opens one transaction and takes `by` and `at`."""
