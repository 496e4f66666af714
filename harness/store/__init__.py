"""Run folders: what a run has measured, kept in transactions, so that a killed run can go on."""
