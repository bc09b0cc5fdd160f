"""The one stack of the nightly run, in the words of the CDK: a module a kind of part, `nightly` for the whole."""
