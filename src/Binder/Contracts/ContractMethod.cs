using System.Diagnostics.CodeAnalysis;
using System.Reflection;

namespace ProcessPool.Binding.Contracts;

/// <summary>One method of a contract: its entry point's name, and how its arguments and its result map to a call.</summary>
[RequiresDynamicCode("Makes generic methods at run time.")]
internal sealed class ContractMethod
{
    private readonly IContractCaller _caller;
    private readonly string _entryPoint;
    private readonly int[] _passed;
    private readonly Type[] _types;
    private readonly int _token;
    private readonly Func<object?[], CancellationToken, object> _call;

    public ContractMethod(IContractCaller caller, MethodInfo method)
    {
        _caller = caller;
        _entryPoint = ContractRules.EntryPoint(method);
        var parameters = method.GetParameters();
        _token = Array.FindIndex(parameters, parameter => parameter.ParameterType == typeof(CancellationToken));
        _passed = [.. Enumerable.Range(0, parameters.Length).Where(index => !ArgumentBinder.IsSupplied(parameters[index].ParameterType))];
        _types = [.. _passed.Select(index => parameters[index].ParameterType)];
        _call = MakeCall(method.ReturnType);
    }

    /// <summary>Makes the call and returns what the method declares.</summary>
    public object Call(object?[] arguments) =>
        _call([.. _passed.Select(index => arguments[index])], _token < 0 ? CancellationToken.None : (CancellationToken)arguments[_token]!);

    private Func<object?[], CancellationToken, object> MakeCall(Type returned)
    {
        var (value, streams) = ContractRules.Result(returned)!.Value;
        if (value is null)
        {
            return returned == typeof(Task)
                ? (arguments, token) => _caller.InvokeAsync(_entryPoint, arguments, _types, token)
                : (arguments, token) => new ValueTask(_caller.InvokeAsync(_entryPoint, arguments, _types, token));
        }

        var maker = streams ? nameof(MakeStream) : returned.GetGenericTypeDefinition() == typeof(Task<>) ? nameof(MakeTask) : nameof(MakeValueTask);
        return (Func<object?[], CancellationToken, object>)typeof(ContractMethod).GetMethod(maker, BindingFlags.Instance | BindingFlags.NonPublic)!
            .MakeGenericMethod(value).Invoke(this, null)!;
    }

    private Func<object?[], CancellationToken, object> MakeTask<T>() => (arguments, token) => _caller.InvokeAsync<T>(_entryPoint, arguments, _types, token);

    private Func<object?[], CancellationToken, object> MakeValueTask<T>() => (arguments, token) => new ValueTask<T>(_caller.InvokeAsync<T>(_entryPoint, arguments, _types, token));

    private Func<object?[], CancellationToken, object> MakeStream<T>() => (arguments, token) => _caller.StreamAsync<T>(_entryPoint, arguments, _types, token);
}
