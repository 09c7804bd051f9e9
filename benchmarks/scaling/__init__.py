"""How training grows with the number of machines: what is measured here, and what follows from it.

- `job`: the processes of an MPI job, which measure;
- `model`: what an all-reduce takes on a network, and so a step on many machines;
- `report`: the tables and the picture.
"""
