"""Jobs with leases: rows own the work, the queue only wakes workers.

A job is cut into chunks of a few seconds. A worker leases a chunk, beats while it works, and writes only
behind the lease's fence. Whoever dies, the sweeper finds the expired lease and offers the chunk again.
"""
