"""The dialect of Argo Rollouts."""
