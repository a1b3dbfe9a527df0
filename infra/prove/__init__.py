"""`make prove STAGE=trial`: deploy a stage, use it, break it, restore it, remove it, and tell."""
