"""What stands behind the verbs of the command line, beside the pipeline."""
