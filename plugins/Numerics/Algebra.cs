using MathNet.Numerics;
using MathNet.Numerics.LinearAlgebra;
using ProcessPool;

namespace Numerics;

/// <summary>Linear algebra, by MathNet.Numerics.</summary>
public static class Algebra
{
    /// <summary>Solves matrix * x = vector.</summary>
    /// <param name="matrix">Rows of one length, as many as columns; not singular.</param>
    /// <param name="vector">A number for each row.</param>
    [EntryPoint]
    public static double[] Solve(double[][] matrix, double[] vector)
    {
        var equations = Square(matrix);
        Input.CheckNumbers(vector, nameof(vector));
        if (vector.Length != equations.RowCount)
        {
            throw new ArgumentException($"Expected {equations.RowCount} numbers, one for each row of the matrix, but there are {vector.Length}.", nameof(vector));
        }

        var factors = equations.LU();
        var pivots = factors.U.Diagonal().PointwiseAbs();
        if (pivots.Minimum() <= Precision.DoublePrecision * pivots.Count * pivots.Maximum())
        {
            throw new ArgumentException("The matrix is singular, or too near to it for the precision of double.", nameof(matrix));
        }

        return [.. factors.Solve(Vector<double>.Build.DenseOfArray(vector))];
    }

    /// <summary>The eigenvalues of a matrix.</summary>
    /// <param name="matrix">Rows of one length, as many as columns.</param>
    [EntryPoint]
    public static Eigenvalue[] Eigenvalues(double[][] matrix) =>
        [.. Square(matrix).Evd().EigenValues.Select(value => new Eigenvalue(value.Real, value.Imaginary))];

    /// <summary>The line through points that has the least squares of vertical distances.</summary>
    /// <param name="x">At least two different numbers.</param>
    /// <param name="y">A number for each x.</param>
    [EntryPoint]
    public static Line LinearFit(double[] x, double[] y)
    {
        Input.CheckNumbers(x, nameof(x));
        Input.CheckNumbers(y, nameof(y));
        if (x.Length != y.Length || x.Distinct().Count() < 2)
        {
            throw new ArgumentException($"Expected as many x as y and at least two different x, but there are {x.Length} x and {y.Length} y.", nameof(x));
        }

        var (intercept, slope) = Fit.Line(x, y);
        return new Line(intercept, slope);
    }

    private static Matrix<double> Square(double[][] matrix)
    {
        ArgumentNullException.ThrowIfNull(matrix);
        if (matrix.Length == 0)
        {
            throw new ArgumentException("Expected at least one row.", nameof(matrix));
        }

        for (var row = 0; row < matrix.Length; row++)
        {
            Input.CheckNumbers(matrix[row], nameof(matrix));
            if (matrix[row].Length != matrix.Length)
            {
                throw new ArgumentException($"Expected a square matrix: row {row + 1} of {matrix.Length} has {matrix[row].Length} numbers.", nameof(matrix));
            }
        }

        return Matrix<double>.Build.DenseOfRowArrays(matrix);
    }
}
