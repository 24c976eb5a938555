"""Fault campaign: the real operator process against the real API server, disturbed at every request and every event.

plan.py says what is disturbed, proxy.py disturbs, workloads.py is what people do meanwhile, kubelet.py and volume.py
play the node and the volume service, witness.py writes down what was seen, and oracles.py judges it.
"""
