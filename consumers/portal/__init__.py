"""The portal: pages and alerts for the people around a child. Everything shown has just been asked of the read gate."""
