"""Records in, numbers out: estimates, ranks, ratios, comparisons. No text and no chart."""
