// The floor of starting anything in .NET.
Console.WriteLine("hello");
