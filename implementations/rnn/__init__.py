"""The recurrent network: one specification, one file per framework."""
