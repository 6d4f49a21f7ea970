//! Tables of texts and facets, with what the recommendation has to say of them.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::sync::Arc;

use proptest::prelude::*;

use super::lexical::Prefixes;
use super::simple::SimpleType;
use super::{FacetKind, FacetSource};

struct Declared;

impl Prefixes for Declared {
    fn namespace(&self, prefix: &str) -> Option<Cow<'_, str>> {
        match prefix {
            "" => Some("urn:default".into()),
            "a" | "b" => Some("urn:a".into()),
            _ => None,
        }
    }

    fn is_notation(&self, namespace: &str, local: &str) -> bool {
        namespace == "urn:a" && local == "gif"
    }
}

fn builtin(name: &str) -> Arc<SimpleType> {
    SimpleType::builtins().into_iter().find(|(known, ..)| *known == name).unwrap().2
}

/// A step of derivation: facets such as `maxLength=3`, with `!` before those that are fixed.
fn step(base: &Arc<SimpleType>, facets: &[&str]) -> Result<Arc<SimpleType>, &'static str> {
    let sources = facets.iter().map(|facet| {
        let (name, value) = facet.split_once('=').unwrap();
        let kind = FacetKind::by_name(name.trim_start_matches('!')).unwrap();
        FacetSource { kind, value, fixed: name.starts_with('!') }
    });
    let derived = SimpleType::restrict(base, "own", &sources.collect::<Vec<_>>(), &Declared);
    derived.map(Arc::new).map_err(|error| error.rule)
}

fn steps(base: &str, steps: &[&[&str]]) -> Result<Arc<SimpleType>, &'static str> {
    steps.iter().try_fold(builtin(base), |base, facets| step(&base, facets))
}

fn rule(simple: &SimpleType, text: &str) -> &'static str {
    simple.value(text, &Declared).map_or_else(|broken| broken.rule, |_| "")
}

#[test]
fn texts_are_of_their_type() {
    for (name, good, bad) in [
        ("anySimpleType", &["", " x\n"][..], &[][..]),
        ("string", &["", " x\n"], &[]),
        ("normalizedString", &["a\tb"], &[]),
        ("token", &["  a  b "], &[]),
        ("language", &["nb", "nn-NO", "x-abcdefg1-2", " en "], &["", "n_", "norwegians", "1", "en-", "en--us"]),
        ("NMTOKEN", &["1:a", "-", " a "], &["a b", "", "a,b"]),
        ("NMTOKENS", &["a 1\n-"], &["", " ", "a ,"]),
        ("Name", &["a:b:c", ":", "_"], &["1", "-a", ""]),
        ("NCName", &["a-1", "_", "å"], &["1a", "a:b", "a b", ""]),
        ("ID", &["a"], &["1", "a:b"]),
        ("IDREFS", &["a b"], &["", "a 1"]),
        ("ENTITIES", &["a b"], &["", "a:b"]),
        ("QName", &["a", "a:b", " b:c "], &["a:", ":b", "a:b:c", "", "x:b", "1:b", "a:1", "a: b"]),
        ("NOTATION", &["a:gif", "b:gif"], &["gif", "a:png", "x:gif"]),
        ("anyURI", &["", "a b", "http://å/%20#x"], &["%", "#a#"]),
        ("boolean", &["true", "0", " 1\n"], &["TRUE", "yes", "", "2"]),
        ("decimal", &["1", "+1.50", "-.5", "5.", "007"], &["", ".", "1e2", "1,5", "INF", "+-1", "1 2"]),
        ("integer", &["99999999999999999999999999999999999999999999", "-0", "+1"], &["1.0", "1.", "0x1", ""]),
        ("int", &["0", "-2147483648", "+2147483647", "007"], &["2147483648", "-2147483649", "1.0", "", "-"]),
        ("unsignedLong", &["18446744073709551615", "-0"], &["18446744073709551616", "-1"]),
        ("negativeInteger", &["-1", "-99999999999999999999999999999999999999999"], &["0", "1"]),
        ("byte", &["-128", "127"], &["128"]),
        ("float", &["1", "-.5E+2", "INF", "NaN", "1e99999"], &["+INF", "inf", "1e", "", "1f"]),
        ("duration", &["P1Y", "-P1Y2M3DT4H5M6.7S", "PT1M"], &["P", "PT", "P1", "P1S", "P1YT", "PT1.5H", "P1D2M"]),
        (
            "dateTime",
            &["2000-02-29T24:00:00-14:00", "-12345-01-01T00:00:00.000001Z"],
            &["2000-01-01T24:00:01", "2000-01-01"],
        ),
        ("time", &["24:00:00", "00:00:00.5+05:30"], &["24:00:01", "1:00:00", "12:00", "12:00:00+14:01"]),
        (
            "date",
            &["2000-02-29", "0001-01-01Z"],
            &["1900-02-29", "0000-01-01", "2000-1-1", "02000-01-01", "+2000-01-01"],
        ),
        ("gYearMonth", &["2000-01", "-0001-12Z"], &["2000-13", "2000", "2000-01-01"]),
        ("gYear", &["2000", "12000", "-0044+01:00"], &["0000", "200", "02000", "+2000"]),
        ("gMonthDay", &["--02-29", "--12-31Z"], &["--02-30", "--13-01", "-02-29"]),
        ("gDay", &["---31", "---01-05:00"], &["---32", "---00", "31"]),
        ("gMonth", &["--12", "--01Z"], &["--13", "--00", "--01--", "01"]),
        ("hexBinary", &["", "0aFF", " 00 "], &["0", "0g", "0a ff"]),
        ("base64Binary", &["", "QQ==", "Q Q = =", " QUJD\n"], &["QQ=", "QR==", "QQ==QQ==", "Q!==", "="]),
    ] {
        let simple = builtin(name);
        good.iter().for_each(|text| assert_eq!(rule(&simple, text), "", "{name} {text:?}"));
        bad.iter().for_each(|text| assert_ne!(rule(&simple, text), "", "{name} {text:?}"));
    }
}

#[test]
fn values_are_the_same_across_their_texts() {
    for (name, one, other, same) in [
        ("string", " a", "a", false),
        ("token", " a  b", "a b", true),
        ("decimal", "01.50", "+1.5", true),
        ("decimal", "-0", "0.0", true),
        ("float", "16777216", "16777217", true),
        ("double", "16777216", "16777217", false),
        ("float", "NaN", "NaN", true),
        ("float", "-0", "0", true),
        ("boolean", "1", "true", true),
        ("QName", "a:x", "b:x", true),
        ("QName", "a:x", "x", false),
        ("anyURI", "http://A", "http://a", false),
        ("hexBinary", "0aff", "0AFF", true),
        ("base64Binary", "Q Q==", "QQ==", true),
        ("dateTime", "2000-01-01T24:00:00Z", "2000-01-02T01:00:00+01:00", true),
        ("dateTime", "2000-01-01T00:00:00Z", "2000-01-01T00:00:00", false),
        ("time", "24:00:00", "00:00:00", true),
        ("date", "2000-01-01+12:00", "1999-12-31-12:00", true),
        ("gYear", "2000Z", "2000+00:00", true),
        ("duration", "P1Y", "P12M", true),
        ("duration", "P1D", "PT24H", true),
        ("duration", "P400Y", "P146097D", false),
        ("IDREFS", " a  b", "a b", true),
    ] {
        let simple = builtin(name);
        let [one, other] = [one, other].map(|text| simple.value(text, &Declared).unwrap());
        assert_eq!(one.same(&other), same, "{name} {one:?} {other:?}");
        assert_eq!(one.key() == other.key(), same, "{name} {one:?} {other:?}");
    }
}

#[test]
fn facets_judge_texts() {
    for (base, facets, text, expected) in [
        ("string", &[&["length=2"][..]][..], "åø", ""),
        ("string", &[&["length=2"]], "å", "cvc-length-valid"),
        ("hexBinary", &[&["length=2"]], "00ff", ""),
        ("base64Binary", &[&["maxLength=1"]], "QUI=", "cvc-maxLength-valid"),
        ("anyURI", &[&["minLength=3"]], "aå", "cvc-minLength-valid"),
        ("NMTOKENS", &[&["maxLength=2"]], "a b c", "cvc-maxLength-valid"),
        ("NMTOKENS", &[&["maxLength=2"]], "long longer", ""),
        ("QName", &[&["length=2"]], "a:anything", ""),
        ("token", &[&["pattern=a b"]], " a  b ", ""),
        ("string", &[&["pattern=a b"]], " a b", "cvc-pattern-valid"),
        ("string", &[&["pattern=[ab]+", "pattern=c"], &["pattern=.{2}"]], "ab", ""),
        ("string", &[&["pattern=[ab]+", "pattern=c"], &["pattern=.{2}"]], "c", "cvc-pattern-valid"),
        ("int", &[&["pattern=[0-9]+"]], "+1", "cvc-pattern-valid"),
        ("int", &[&["enumeration=1", "enumeration=02"]], "+2", ""),
        ("int", &[&["enumeration=1", "enumeration=02"], &["enumeration=2"]], "1", "cvc-enumeration-valid"),
        ("float", &[&["enumeration=NaN"]], "NaN", ""),
        ("QName", &[&["enumeration=a:x"]], "b:x", ""),
        ("QName", &[&["enumeration=a:x"]], "x", "cvc-enumeration-valid"),
        ("string", &[&["whiteSpace=collapse"], &["enumeration=a"]], " a ", ""),
        ("int", &[&["minInclusive=1", "maxExclusive=3"]], "3", "cvc-maxExclusive-valid"),
        ("int", &[&["minInclusive=1", "maxExclusive=3"]], "1", ""),
        ("float", &[&["minInclusive=NaN"]], "NaN", ""),
        ("float", &[&["minInclusive=NaN"]], "1", "cvc-minInclusive-valid"),
        ("double", &[&["maxExclusive=INF"]], "INF", "cvc-maxExclusive-valid"),
        ("duration", &[&["minExclusive=P1M"]], "P30D", "cvc-minExclusive-valid"),
        ("duration", &[&["minExclusive=P1M"]], "P32D", ""),
        ("dateTime", &[&["maxInclusive=2000-01-01T12:00:00Z"]], "2000-01-01T00:00:00", "cvc-maxInclusive-valid"),
        ("dateTime", &[&["maxInclusive=2000-01-01T12:00:00Z"]], "1999-12-31T00:00:00", ""),
        ("gMonthDay", &[&["minInclusive=--02-28"]], "--02-29", ""),
        ("decimal", &[&["totalDigits=3", "fractionDigits=1"]], "0012.30", ""),
        ("decimal", &[&["totalDigits=3"]], "12.34", "cvc-totalDigits-valid"),
        ("decimal", &[&["totalDigits=2"]], "0.001", "cvc-totalDigits-valid"),
        ("decimal", &[&["fractionDigits=1"]], "0.01", "cvc-fractionDigits-valid"),
        ("integer", &[&["totalDigits=3"]], "-1000", "cvc-totalDigits-valid"),
        ("decimal", &[&["totalDigits=999999999999999999999999"]], "1", ""),
    ] {
        let simple = steps(base, facets).unwrap();
        assert_eq!(rule(&simple, text), expected, "{base} {facets:?} {text}");
    }
}

#[test]
fn facets_have_to_fit_their_base() {
    for (base, facets, expected) in [
        ("anySimpleType", &[&[][..]][..], "cos-st-restricts.1.1"),
        ("string", &[&["totalDigits=1"]], "cos-applicable-facets"),
        ("string", &[&["minInclusive=a"]], "cos-applicable-facets"),
        ("boolean", &[&["enumeration=true"]], "cos-applicable-facets"),
        ("int", &[&["length=1"]], "cos-applicable-facets"),
        ("float", &[&["fractionDigits=1"]], "cos-applicable-facets"),
        ("NMTOKENS", &[&["minInclusive=a"]], "cos-applicable-facets"),
        ("QName", &[&["maxExclusive=a"]], "cos-applicable-facets"),
        ("string", &[&["maxLength=1", "maxLength=1"]], "src-single-facet-value"),
        ("string", &[&["maxLength=-1"]], "cvc-datatype-valid.1.2.1"),
        ("string", &[&["maxLength=x"]], "cvc-datatype-valid.1.2.1"),
        ("string", &[&["maxLength= +3 "]], ""),
        ("string", &[&["minLength=2", "maxLength=1"]], "minLength-less-than-equal-to-maxLength"),
        ("string", &[&["length=2", "maxLength=3"]], "length-minLength-maxLength"),
        ("string", &[&["length=2"], &["minLength=1"]], "length-minLength-maxLength"),
        ("string", &[&["minLength=1"], &["length=2"]], ""),
        ("string", &[&["minLength=1"], &["length=2"], &["minLength=1"]], ""),
        ("string", &[&["minLength=1"], &["length=2"], &["minLength=2"]], "length-minLength-maxLength"),
        ("string", &[&["minLength=3"], &["length=2"]], "length-minLength-maxLength"),
        ("NMTOKENS", &[&["length=2"]], ""),
        ("string", &[&["length=2"], &["length=3"]], "length-valid-restriction"),
        ("string", &[&["minLength=2"], &["minLength=1"]], "minLength-valid-restriction"),
        ("string", &[&["maxLength=2"], &["maxLength=3"]], "maxLength-valid-restriction"),
        ("string", &[&["!maxLength=2"], &["maxLength=1"]], "st-restrict-facets"),
        ("string", &[&["!maxLength=2"], &["maxLength=2"], &["maxLength=1"]], "st-restrict-facets"),
        ("string", &[&["!maxLength=2"], &["maxLength=2"]], ""),
        ("string", &[&["pattern=("]], "st-props-correct.1"),
        ("string", &[&["whiteSpace=trim"]], "cvc-enumeration-valid"),
        ("token", &[&["whiteSpace=preserve"]], "whiteSpace-valid-restriction"),
        ("string", &[&["!whiteSpace=replace"], &["whiteSpace=collapse"]], "st-restrict-facets"),
        ("int", &[&["enumeration=a"]], "enumeration-valid-restriction"),
        ("int", &[&["enumeration=1"], &["enumeration=2"]], "enumeration-valid-restriction"),
        ("QName", &[&["enumeration=x:y"]], "enumeration-valid-restriction"),
        ("NOTATION", &[&["enumeration=a:png"]], "enumeration-valid-restriction"),
        ("int", &[&["minInclusive=2", "maxInclusive=1"]], "minInclusive-less-than-equal-to-maxInclusive"),
        ("int", &[&["minExclusive=2", "maxExclusive=1"]], "minExclusive-less-than-equal-to-maxExclusive"),
        ("int", &[&["minExclusive=1", "maxExclusive=1"]], ""),
        ("int", &[&["minExclusive=1", "maxInclusive=1"]], "minExclusive-less-than-maxInclusive"),
        ("int", &[&["minInclusive=1", "maxExclusive=1"]], "minInclusive-less-than-maxExclusive"),
        ("int", &[&["minInclusive=1", "minExclusive=1"]], "minInclusive-minExclusive"),
        ("int", &[&["maxInclusive=1", "maxExclusive=1"]], "maxInclusive-maxExclusive"),
        ("int", &[&["minInclusive=1"], &["minExclusive=1"]], ""),
        ("int", &[&["minInclusive=1"], &["minInclusive=0"]], "minInclusive-valid-restriction"),
        ("int", &[&["minExclusive=1"], &["minInclusive=1"]], "minInclusive-valid-restriction"),
        ("int", &[&["minExclusive=1"], &["minExclusive=1"]], ""),
        ("int", &[&["maxInclusive=1"], &["minExclusive=2"]], "minExclusive-valid-restriction"),
        ("int", &[&["maxExclusive=2147483648"]], "maxExclusive-valid-restriction"),
        ("byte", &[&["maxInclusive=128"]], "maxInclusive-valid-restriction"),
        ("int", &[&["!minInclusive=1"], &["minInclusive=2"]], "st-restrict-facets"),
        ("date", &[&["maxInclusive=x"]], "maxInclusive-valid-restriction"),
        ("integer", &[&["fractionDigits=1"]], "fractionDigits-valid-restriction"),
        ("decimal", &[&["totalDigits=0"]], "cvc-datatype-valid.1.2.1"),
        ("decimal", &[&["totalDigits=2"], &["totalDigits=3"]], "totalDigits-valid-restriction"),
        ("decimal", &[&["totalDigits=2", "fractionDigits=3"]], "fractionDigits-totalDigits"),
    ] {
        assert_eq!(steps(base, facets).err().unwrap_or_default(), expected, "{base} {facets:?}");
    }
}

#[test]
fn types_without_number_are_refused() {
    let mut simple = builtin("string");
    let deep = (0..10_000).find_map(|_| match step(&simple, &["pattern=.*"]) {
        Ok(derived) => {
            simple = derived;
            None
        }
        Err(rule) => Some(rule),
    });
    assert_eq!(deep, Some("st-props-correct.1"));
    let mut simple = builtin("int");
    let wide = (0..100).find_map(|_| {
        let union = Arc::new(SimpleType::union(vec![simple.clone(), simple.clone()], "union"));
        let one = step(&union, &["pattern=.*"]);
        let both = Arc::new(SimpleType::union(vec![one.clone().ok()?, step(&union, &["pattern=.+"]).ok()?], "both"));
        simple = both;
        step(&simple, &[]).err()
    });
    assert_eq!(wide, Some("st-props-correct.1"));
}

#[test]
fn unions_are_judged_by_the_member_that_has_the_text() {
    let parts = vec![builtin("int"), step(&builtin("string"), &["whiteSpace=collapse", "maxLength=3"]).unwrap()];
    let union = Arc::new(SimpleType::union(parts, "union"));
    assert_eq!(rule(&union, " 12345 "), "");
    assert_eq!(rule(&union, "  abc "), "");
    assert_eq!(rule(&union, "abcd"), "cvc-datatype-valid.1.2.3");
    let listed = step(&union, &["enumeration=07", "enumeration= a"]).unwrap();
    assert_eq!(rule(&listed, "7"), "");
    assert_eq!(rule(&listed, "a  "), "");
    assert_eq!(rule(&listed, "8"), "cvc-enumeration-valid");
    assert_eq!(step(&union, &["length=1"]).unwrap_err(), "cos-applicable-facets");
    // The pattern sees the text as the member does.
    let fitting = step(&union, &["pattern=a b"]).unwrap();
    assert_eq!(rule(&fitting, " a   b"), "");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn any_two_texts_compare_in_one_way(
        one in "[-+]?[0-9]{1,3}(\\.[0-9]{0,2})?([eE]-?[0-9]{0,3})?|-?P([0-3]Y)?([0-9]{1,2}M)?([0-9]{1,3}D)?(T[0-9.]{1,3}[HMS])?\
            |200[01]-0[12]-[012][0-9](T[012][0-9]:00:00(\\.[0-9])?)?(Z|[-+]1[0-5]:00)?|\\PC{0,5}|[01] [ab]",
        other in "[-+]?[0-9]{1,3}(\\.[0-9]{0,2})?([eE]-?[0-9]{0,3})?|-?P([0-3]Y)?([0-9]{1,2}M)?([0-9]{1,3}D)?(T[0-9.]{1,3}[HMS])?\
            |200[01]-0[12]-[012][0-9](T[012][0-9]:00:00(\\.[0-9])?)?(Z|[-+]1[0-5]:00)?|\\PC{0,5}|[01] [ab]",
    ) {
        for (name, _, simple) in SimpleType::builtins() {
            let values = [&one, &other].map(|text| simple.value(text, &Declared));
            let [Ok(one), Ok(other)] = values else { continue };
            prop_assert_eq!(one.same(&other), one.key() == other.key(), "{}", name);
            prop_assert_eq!(one.order(&other), other.order(&one).map(Ordering::reverse), "{}", name);
            prop_assert!(one.same(&one) && other.same(&other));
            prop_assert!(!one.same(&other) || one.order(&other) == Some(Ordering::Equal), "{}", name);
        }
    }
}

#[test]
fn facets_may_declare_prefixes_of_their_own() {
    struct Outside;
    impl Prefixes for Outside {
        fn namespace(&self, _: &str) -> Option<Cow<'_, str>> {
            None
        }

        fn at_facet(&self, index: usize) -> Option<&dyn Prefixes> {
            (index == 0).then_some(&Declared)
        }
    }
    let listed = |value| FacetSource { kind: FacetKind::Enumeration, value, fixed: false };
    let restrict = |facets: &[FacetSource<'_>]| SimpleType::restrict(&builtin("QName"), "own", facets, &Outside);
    assert!(restrict(&[listed("a:x"), listed("y")]).is_ok());
    assert_eq!(restrict(&[listed("a:x"), listed("a:y")]).unwrap_err().index, Some(1));
}
