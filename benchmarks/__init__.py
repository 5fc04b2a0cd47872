"""The harness: plans cells, proves and times them in isolated processes, stores records, and reports them."""

VERSION = "0.1.0"
