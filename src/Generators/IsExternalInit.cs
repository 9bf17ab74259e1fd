namespace System.Runtime.CompilerServices;

/// <summary>What the compiler asks for where a record is declared; netstandard2.0 does not have it.</summary>
internal static class IsExternalInit;
