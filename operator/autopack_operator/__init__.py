"""The controller that reconciles AutopackRun and RunBatch."""
