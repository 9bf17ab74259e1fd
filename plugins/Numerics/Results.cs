namespace Numerics;

/// <summary>A complex number.</summary>
/// <param name="Real">Its real part.</param>
/// <param name="Imaginary">Its imaginary part; 0 for each eigenvalue of a symmetric matrix.</param>
public sealed record Eigenvalue(double Real, double Imaginary);

/// <summary>y = Intercept + Slope * x.</summary>
/// <param name="Intercept">Where x is 0.</param>
/// <param name="Slope">How much y grows with x.</param>
public sealed record Line(double Intercept, double Slope);
