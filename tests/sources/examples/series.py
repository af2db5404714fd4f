from tests.sources.builders import Example

EXAMPLE = Example(truth={}, read=list)  # it gives series, from which others tell facts
