"""The use cases, one module per verb family. Each runs as one unit of work on the writer."""
