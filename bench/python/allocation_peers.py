"""Solves one allocation programme again and again with a peer, and says how long each solve took.

argv: the peer (clarabel, osqp, highs), a file with the programme, a time limit in seconds.
The file holds N, M and a flag for a linear programme as three int64, then utility [N x M],
congestion [N], capacity [N], demand [M] and cap [M] as float64.
Each line "solve" on standard input is answered by one line of JSON. Building the peer's matrices is
not counted, its own set-up of them neither where the peer offers to separate it.
"""

import json
import os
import sys
import time

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "RAYON_NUM_THREADS"):
    os.environ[name] = "1"

import numpy as np
import scipy.sparse as sparse


def read(path):
    with open(path, "rb") as file:
        n, m, linear = np.fromfile(file, np.int64, 3)
        sizes = (n * m, n, n, m, m)
        return (int(n), int(m), bool(linear), *(np.fromfile(file, np.float64, s) for s in sizes))


def matrices(n, m):
    """Rows that sum over tasks, and rows that sum over operators."""
    pairs = np.arange(n * m)
    ones = np.ones(n * m)
    rows = sparse.csc_matrix((ones, (pairs // m, pairs)), shape=(n, n * m))
    columns = sparse.csc_matrix((ones, (pairs % m, pairs)), shape=(m, n * m))
    return rows, columns


def clarabel_solver(data, limit):
    import clarabel

    n, m, _, utility, congestion, capacity, demand, cap = data
    rows, columns = matrices(n, m)
    eye = sparse.identity(n * m, format="csc")
    a = sparse.vstack([columns, rows, eye, -eye]).tocsc()
    b = np.concatenate([demand, capacity, np.tile(cap, n), np.zeros(n * m)])
    cones = [clarabel.ZeroConeT(m), clarabel.NonnegativeConeT(n + 2 * n * m)]
    quadratic = sparse.diags(np.repeat(congestion, m)).tocsc()
    settings = clarabel.DefaultSettings()
    settings.verbose = False
    settings.time_limit = limit
    settings.tol_gap_rel = 1e-7
    settings.tol_feas = 1e-7
    settings.max_threads = 1

    def solve():
        solver = clarabel.DefaultSolver(quadratic, -utility, a, b, cones, settings)
        start = time.perf_counter()
        result = solver.solve()
        elapsed = time.perf_counter() - start
        return elapsed, -result.obj_val, str(result.status) == "Solved"

    return solve


def osqp_solver(data, limit):
    import osqp

    n, m, _, utility, congestion, capacity, demand, cap = data
    rows, columns = matrices(n, m)
    a = sparse.vstack([columns, rows, sparse.identity(n * m)]).tocsc()
    low = np.concatenate([demand, np.full(n, -np.inf), np.zeros(n * m)])
    high = np.concatenate([demand, capacity, np.tile(cap, n)])
    quadratic = sparse.diags(np.repeat(congestion, m)).tocsc()

    def solve():
        solver = osqp.OSQP()
        solver.setup(
            quadratic,
            -utility,
            a,
            low,
            high,
            verbose=False,
            eps_abs=1e-6,
            eps_rel=1e-6,
            max_iter=1_000_000,
            time_limit=limit,
        )
        start = time.perf_counter()
        result = solver.solve()
        elapsed = time.perf_counter() - start
        return elapsed, -result.info.obj_val, result.info.status == "solved"

    return solve


def highs_solver(data, limit):
    import highspy

    n, m, linear, utility, _, capacity, demand, cap = data
    if not linear:
        raise ValueError("highs is asked for linear programmes only")
    rows, columns = matrices(n, m)
    a = sparse.vstack([columns, rows]).tocsc()
    model = highspy.HighsLp()
    model.num_col_, model.num_row_ = n * m, n + m
    model.col_cost_ = -utility
    model.col_lower_, model.col_upper_ = np.zeros(n * m), np.tile(cap, n)
    model.row_lower_ = np.concatenate([demand, np.full(n, -highspy.kHighsInf)])
    model.row_upper_ = np.concatenate([demand, capacity])
    model.a_matrix_.format_ = highspy.MatrixFormat.kColwise
    model.a_matrix_.start_, model.a_matrix_.index_ = a.indptr, a.indices
    model.a_matrix_.value_ = a.data

    def solve():
        solver = highspy.Highs()
        solver.setOptionValue("output_flag", False)
        solver.setOptionValue("threads", 1)
        solver.setOptionValue("time_limit", float(limit))
        solver.passModel(model)
        start = time.perf_counter()
        solver.run()
        elapsed = time.perf_counter() - start
        done = solver.getModelStatus() == highspy.HighsModelStatus.kOptimal
        return elapsed, -solver.getInfo().objective_function_value, done

    return solve


def main():
    peer, path, limit = sys.argv[1], sys.argv[2], float(sys.argv[3])
    makers = {"clarabel": clarabel_solver, "osqp": osqp_solver, "highs": highs_solver}
    solve = makers[peer](read(path), limit)
    print(json.dumps({"ready": True}), flush=True)
    for line in sys.stdin:
        if line.strip() != "solve":
            break
        elapsed, objective, done = solve()
        print(json.dumps({"ms": elapsed * 1e3, "objective": objective, "done": done}), flush=True)


main()
